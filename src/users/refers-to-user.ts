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
export function refersToUser(site: Site, key: ForeignKey, { from, name, where }: ReferringRows): SQL {
  const { users } = site.tables
  const further = where ? sql` and ${where}` : sql``
  const [column] = key.columns
  const [referenced] = key.referencedColumns
  if ((!key.indexed || key.conversions) && column && referenced && key.columns.length === 1) {
    const reference = sql`${name}.${sql.identifier(column)}`
    // Without an index that helps, the table is read once, not once for every user; PostgreSQL does so for what fits its
    // memory.
    return sql`${users}.${sql.identifier(referenced)}${collate(key, 0)} in (
      select distinct ${converted(key, 0, 'referring', reference)} from ${from} where ${reference} is not null${further})`
  }
  return sql`exists (select 1 from ${from} where ${refersTo(key, name, sql`${users}`)}${further})`
}
