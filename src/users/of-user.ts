import { type SQL, sql } from 'drizzle-orm'
import type { ForeignKey, Table } from '../db/catalog.ts'
import { refersTo } from '../db/foreign-keys.ts'
import { tableName } from '../db/identifiers.ts'
import type { Site } from '../site/site.ts'
import { ADDRESS_USER } from '../site/site-names.ts'
import { isReferredToByAny } from './refers-to-user.ts'

/**
 * Returns the condition that a row of the table is the user's, as its foreign key sees it: a deletion goes by that, and
 * two columns may compare otherwise.
 */
export function isOfUser(site: Site, table: Table): SQL {
  const { users } = site.tables
  const key = keyToUsers(site, table)
  return key ? refersTo(key, tableName(table), sql`${users}`) : sql`${userOf(table)} = ${users.key}`
}

/** Returns the same condition for some row of the table where something holds, when those rows are read once. */
export function isUserAmong(site: Site, table: Table, where: SQL): SQL {
  const key = keyToUsers(site, table)
  const from = tableName(table)
  const among = key && isReferredToByAny(site, key, { from, name: from, where })
  return among ?? sql`${site.tables.users.key} in (select ${userOf(table)} from ${from} where ${where})`
}

/** Returns undefined where nothing but the column's name tells whose a row is. */
function keyToUsers({ shape: { catalog, users } }: Site, table: Table): ForeignKey | undefined {
  return catalog.foreignKeys.find(
    (key) => key.table === table && key.references === users && key.columns.join() === ADDRESS_USER,
  )
}

function userOf(table: Table): SQL {
  return sql`${tableName(table)}.${sql.identifier(ADDRESS_USER)}`
}
