import { sql } from 'drizzle-orm'
import type { ForeignKey, Table } from '../db/catalog.ts'
import { tableName } from '../db/identifiers.ts'
import type { Db } from '../db/port.ts'
import { UserError } from '../errors.ts'
import type { Shape } from '../site/discover.ts'
import type { Site } from '../site/site.ts'
import { didYouMean } from '../suggest.ts'
import { insertRow } from './insert-row.ts'

/** The many-to-many table between users and Django's groups. */
interface Membership {
  readonly table: Table
  readonly user: ForeignKey
  readonly group: ForeignKey
}

/** Puts the user into the groups of these names. Throws a UserError when there is none of a name, or no groups. */
export async function joinGroups(site: Site, userKey: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const { table, user, group } = membershipOf(site.shape)
  for (const id of await groupIds(site.db, group, names)) {
    const values = new Map([
      [nameIn(user.columns), keyOfUser(site, userKey, user)],
      [nameIn(group.columns), sql`${id}`],
    ])
    await insertRow(site, table, values, nameIn(user.columns))
  }
}

/**
 * Django calls it USERTABLE_groups, unless the model says otherwise. Besides its key it has just the two: a table with
 * more belongs to the site's own idea of membership.
 */
function membershipOf({ catalog, users }: Shape): Membership {
  const single = catalog.foreignKeys.filter((key) => key.columns.length === 1)
  const found = single.flatMap((user) => {
    if (user.references !== users || user.table.columns.length > 3) return []
    const group = single.find((key) => key.table === user.table && key.references.name === 'auth_group')
    return group ? [{ table: user.table, user, group }] : []
  })
  const usual = found.find(({ table }) => table.name === `${users.name}_groups`)
  const membership = usual ?? (found.length === 1 ? found[0] : undefined)
  if (membership) return membership
  throw new UserError(`the users of ${users.label} have no groups`, {
    hint: 'no table joins them with auth_group',
  })
}

async function groupIds(db: Db, { references, referencedColumns }: ForeignKey, names: readonly string[]) {
  const id = sql.identifier(nameIn(referencedColumns))
  const rows = await db.rows<{ id: unknown; name: string }>(
    sql`select ${id} as id, name from ${tableName(references)} order by name`,
  )
  return [...new Set(names)].map((name) => {
    const found = rows.find((row) => row.name === name)
    if (found) return found.id
    const known = rows.map((row) => row.name)
    throw new UserError(`there is no group "${name}"${didYouMean(name, known)}`, {
      hint: known.length === 0 ? 'the site has no groups' : `one of: ${known.join(', ')}`,
    })
  })
}

/** The column that the membership refers to; it may be another than the one that allauth refers to. */
function keyOfUser({ shape, tables: { users } }: Site, userKey: string, { referencedColumns }: ForeignKey) {
  const referenced = sql.identifier(nameIn(referencedColumns))
  return sql`(select ${referenced} from ${tableName(shape.users)} where ${users.key} = ${sql.param(userKey, users.key)})`
}

function nameIn([name = '']: readonly string[]): string {
  return name
}
