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
): Promise<ReadonlyMap<Table, ReadonlySet<string>>> {
  const rows = await db.rows<{ place: number; names: string[] }>(sql`
    select given.place::integer as place, array_agg(a.attname::text) as names
    from unnest(${sql.param(tables.map(tableText))}::text[]) with ordinality given(name, place)
    join pg_attribute a on a.attrelid = given.name::regclass and a.attnum > 0 and not a.attisdropped
    where not has_column_privilege(a.attrelid, a.attnum, ${right})
    group by given.place`)
  const lacking = new Map(rows.map(({ place, names }) => [place, new Set(names)]))
  return new Map(
    tables.flatMap((table, i) => {
      const names = lacking.get(i + 1)
      return names ? [[table, names] as const] : []
    }),
  )
}
