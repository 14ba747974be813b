import { sql } from 'drizzle-orm'
import type { Table } from '../catalog.ts'
import type { TableRight } from '../dialect.ts'
import { tableText } from '../identifiers.ts'
import type { Db } from '../port.ts'

/** As `Dialect.withoutRight`: a right may be granted for the whole table, or column by column. */
export async function postgresWithoutRight(
  db: Db,
  right: TableRight,
  tables: readonly Table[],
): Promise<ReadonlySet<Table>> {
  const rows = await db.rows<{ place: number }>(sql`
    select given.place::integer as place
    from unnest(${sql.param(tables.map(tableText))}::text[]) with ordinality given(name, place)
    where not has_any_column_privilege(given.name, ${right})`)
  return new Set(tables.filter((_, i) => rows.some(({ place }) => place === i + 1)))
}
