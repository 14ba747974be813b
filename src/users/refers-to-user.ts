import { type SQL, sql } from 'drizzle-orm'
import type { ForeignKey } from '../db/catalog.ts'
import { collate, converted, refersTo } from '../db/foreign-keys.ts'
import type { Site } from '../site/site.ts'

/** Rows of a key's table as a statement has them, and those of them that count. */
export interface ReferringRows {
  /** To follow `from`. */
  readonly from: SQL
  /** What the key's table is called in it. */
  readonly name: SQL
  readonly where?: SQL | undefined
}

/** Returns the condition that one of the rows refers to the user by the key. */
export function refersToUser(site: Site, key: ForeignKey, rows: ReferringRows): SQL {
  const readsAll = !key.indexed || key.conversions
  const readOnce = readsAll ? isReferredToByAny(site, key, rows) : undefined
  if (readOnce) return readOnce
  const { from, name, where } = rows
  return sql`exists (select 1 from ${from}
    where ${refersTo(key, name, sql`${site.tables.users}`)}${where ? sql` and ${where}` : sql``})`
}

/**
 * Returns the same condition, by which the rows are read once, not once for every user: better where no index helps, or
 * for many users. PostgreSQL does so for what fits its memory. Undefined for a key of several columns.
 */
export function isReferredToByAny(
  { tables: { users } }: Site,
  key: ForeignKey,
  { from, name, where }: ReferringRows,
): SQL | undefined {
  const [column, ...others] = key.columns
  const [referenced] = key.referencedColumns
  if (column === undefined || referenced === undefined || others.length > 0) return undefined
  const reference = sql`${name}.${sql.identifier(column)}`
  return sql`${users}.${sql.identifier(referenced)}${collate(key, 0)} in (
    select distinct ${converted(key, 0, 'referring', reference)} from ${from}
    where ${reference} is not null${where ? sql` and ${where}` : sql``})`
}
