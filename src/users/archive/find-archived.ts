import { cellText } from '../../db/cell-text.ts'
import type { Cell } from '../../db/dialect.ts'
import { normalizeUsername } from '../../django/username.ts'
import { UserError } from '../../errors.ts'
import { type Site, shownUserKey } from '../../site/site.ts'
import { ADDRESS_USER } from '../../site/site-names.ts'
import { ambiguous } from '../identify.ts'
import { archivedBatches } from './archived-batches.ts'
import { ArchivedRows } from './archived-rows.ts'
import { isDeleted } from './lines.ts'
import type { OpenArchive } from './open-archive.ts'
import { keyText, Owners } from './ownership.ts'

/**
 * Returns the keys of the archived users meant by ids, usernames or addresses (compared without case).
 * Throws a UserError for one that nobody in the archive has, and for one that could mean two people.
 */
export async function findArchived(
  site: Site,
  archive: OpenArchive,
  identifiers: readonly string[],
): Promise<string[]> {
  const asked = identifiers.map((identifier) => new Asked(site, identifier))
  for await (const named of namesIn(site, archive)) {
    for (const each of asked) each.compare(named)
  }
  return asked.map((each) => each.only((key) => shownUserKey(site, key)))
}

/** What a row says about a user: names that mean the user, and in a row of the user table the key. */
interface Named {
  readonly names: readonly string[]
  readonly key?: string
  /** Returns the key of the user. */
  readonly owner: () => string
}

async function* namesIn(site: Site, archive: OpenArchive): AsyncGenerator<Named> {
  const { header } = archive
  const { users, userKey, userColumns, emailAddresses } = site.shape
  const rows = new ArchivedRows(site, header)
  const ofUser = [userColumns.get('username'), userColumns.get('email')]
  // Of a damaged batch the restoration itself will tell.
  for await (const { lines = [] } of archivedBatches(archive)) {
    const owners = new Owners(header, lines)
    for (const line of lines) {
      const table = isDeleted(line) && rows.tableOf(line)
      if (table !== users && table !== emailAddresses) continue
      const cells = rows.cellsOf(line)
      const key = keyText(cells.get(table === users ? userKey.name : ADDRESS_USER) ?? null)
      yield table === users
        ? { names: namesAmong(cells, ofUser), key, owner: () => key }
        : { names: namesAmong(cells, ['email']), owner: () => owners.of(line) ?? key }
    }
  }
}

function namesAmong(cells: ReadonlyMap<string, Cell>, columns: readonly (string | undefined)[]): string[] {
  return columns.flatMap((column) =>
    column === undefined ? [] : cellText(cells.get(column) ?? null).toLowerCase(),
  )
}

/** A user whom somebody has named. */
class Asked {
  private readonly identifier: string
  private readonly key: string | undefined
  private readonly names: readonly string[]
  private readonly found = new Set<string>()

  constructor({ db, shape }: Site, identifier: string) {
    this.identifier = identifier
    this.key = db.dialect.parseKey(identifier, shape.userKey.type)
    this.names = [identifier, normalizeUsername(identifier)].map((name) => name.toLowerCase())
  }

  compare({ key, names, owner }: Named): void {
    const isMeant = key !== undefined && key === this.key
    if (isMeant || names.some((name) => this.names.includes(name))) this.found.add(owner())
  }

  /** Returns the key of the one user who is meant. */
  only(shown: (key: string) => string): string {
    const [key, ...others] = this.found
    if (key === undefined) {
      const name = JSON.stringify(this.identifier)
      throw new UserError('this user is not in the archive', {
        hint: `nobody in it has the id, username or address ${name}; who is: usermgmt archive show FILE`,
      })
    }
    if (others.length === 0) return key
    throw ambiguous(this.identifier, [...this.found].map(shown))
  }
}
