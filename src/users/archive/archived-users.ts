import { cellText } from '../../db/cell-text.ts'
import type { Cell, Dialect } from '../../db/dialect.ts'
import { dialectOf } from '../../db/dialects.ts'
import { isTrue } from '../../db/is-true.ts'
import { UserError } from '../../errors.ts'
import { ADDRESS_USER } from '../../site/site-names.ts'
import { archivedBatches } from './archived-batches.ts'
import type { ArchiveHeader } from './header.ts'
import { KeyMap } from './key-map.ts'
import { type ArchiveLine, isDeleted } from './lines.ts'
import type { OpenArchive } from './open-archive.ts'

/** Somebody in an archive, as a list would have shown them; empty where the user model has no such column. */
export interface ArchivedUser {
  readonly id: string
  readonly username: string
  readonly email: string
}

/**
 * Yields the users whom an archive holds, in the order in which they were deleted. Throws a UserError at the end when
 * some of it is damaged or missing.
 */
export async function* archivedUsers(archive: OpenArchive): AsyncGenerator<ArchivedUser> {
  const { header, reader } = archive
  const people = new People(header, await dialectOf(header.database.kind))
  const lost: number[] = []
  for await (const { number, lines } of archivedBatches(archive)) {
    if (lines) yield* people.in(lines)
    else lost.push(number)
  }
  if (lost.length === 0) return
  throw new UserError(
    `${lost.length} of the ${reader.count - 1} batches of the archive are damaged or missing: ${lost.join(', ')}`,
    { hint: 'whoever is in them is not shown' },
  )
}

type Cells = (column: string | undefined) => Cell

/** An address of a user, by the key of its row. */
interface ListedAddress {
  readonly id: string
  readonly email: string
}

/** Finds the users among lines, and the address that each is listed with. */
class People {
  private readonly header: ArchiveHeader
  private readonly dialect: Dialect

  constructor(header: ArchiveHeader, dialect: Dialect) {
    this.header = header
    this.dialect = dialect
  }

  *in(lines: readonly ArchiveLine[]): Generator<ArchivedUser> {
    const { users, user_key, user_columns } = this.header
    const addresses = this.addressesIn(lines)
    for (const cells of this.rowsOf(users, lines)) {
      const key = cells(user_key)
      yield {
        id: this.dialect.shownKey(cellText(key), this.keyType),
        username: cellText(cells(user_columns.username)),
        email: addresses.get([key])?.email ?? cellText(cells(user_columns.email)),
      }
    }
  }

  /** Unverified primary ones by the keys of their users: of several the oldest. */
  private addressesIn(lines: readonly ArchiveLine[]): KeyMap<ListedAddress> {
    const found = new KeyMap<ListedAddress>()
    const { email_addresses, email_address_key } = this.header
    for (const cells of this.rowsOf(email_addresses, lines)) {
      if (!isTrue(cells('primary')) || isTrue(cells('verified'))) continue
      const user = [cells(ADDRESS_USER)]
      const address = { id: cellText(cells(email_address_key)), email: cellText(cells('email')) }
      const other = found.getExact(user)
      if (!other || isOlder(address, other)) found.set(user, address)
    }
    return found
  }

  private *rowsOf(name: string, lines: readonly ArchiveLine[]): Generator<Cells> {
    const number = this.header.tables.findIndex((table) => table.name === name)
    const places = new Map(this.header.tables[number]?.columns.map((column, i) => [column, i]))
    for (const line of lines) {
      if (!isDeleted(line) || line.d !== number) continue
      yield (column) => line.row[places.get(column ?? '') ?? -1] ?? null
    }
  }

  private get keyType(): string {
    const { tables, users, user_key } = this.header
    const table = tables.find(({ name }) => name === users)
    return table?.types[table.columns.indexOf(user_key)] ?? ''
  }
}

/** Keys that are numbers, as text. */
function isOlder({ id }: ListedAddress, other: ListedAddress): boolean {
  return id.length === other.id.length ? id < other.id : id.length < other.id.length
}
