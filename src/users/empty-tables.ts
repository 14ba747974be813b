import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import { tableName } from '../db/identifiers.ts'
import { isTrue } from '../db/is-true.ts'
import type { Db } from '../db/port.ts'

/** Returns the condition that there is any row in the table. */
export function hasRows(table: Table): SQL {
  return sql`exists (select 1 from ${tableName(table)})`
}

/**
 * Returns those of the tables that have no row. Of a site's many tables most are empty: whoever knows it need not look
 * into each for every user.
 */
export async function emptyTables(db: Db, tables: Iterable<Table>): Promise<ReadonlySet<Table>> {
  const asked = [...new Set(tables)]
  if (asked.length === 0) return new Set()
  const columns = asked.map((table, i) => sql`${hasRows(table)} as ${sql.identifier(`table_${i}`)}`)
  const [row = {}] = await db.rows<Record<string, unknown>>(sql`select ${sql.join(columns, sql`, `)}`)
  return new Set(asked.filter((_, i) => !isTrue(row[`table_${i}`])))
}
