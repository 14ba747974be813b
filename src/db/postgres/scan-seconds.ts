import { sql } from 'drizzle-orm'
import type { Table } from '../catalog.ts'
import { tableText } from '../identifiers.ts'
import type { Db } from '../port.ts'

/** Measured on tables in memory; from a disk it takes longer. */
const SECONDS_A_PAGE = 4e-6
const SECONDS_A_ROW = 80e-9
/** Rows of a page, for a table that has never been analyzed. */
const USUAL_ROWS = 60

/** Returns about how long it takes to read each table, from its size (PostgreSQL manual, pg_class), partitions included. */
export async function postgresScanSeconds(
  db: Db,
  tables: readonly Table[],
): Promise<ReadonlyMap<Table, number>> {
  const names = tables.map(tableText)
  const rows = await db.rows<{ place: number; pages: string; rows: string }>(sql`
    select given.place::integer as place, sum(part.pages) as pages,
      sum(case when part.reltuples < 0 then part.pages * ${USUAL_ROWS}::integer else part.reltuples end) as rows
    from unnest(${sql.param(names)}::text[]) with ordinality given(name, place)
    cross join lateral (
      select c.reltuples, pg_relation_size(c.oid) / current_setting('block_size')::integer as pages
      from (select given.name::regclass as oid union select relid from pg_partition_tree(given.name::regclass)) own
      join pg_class c on c.oid = own.oid
    ) part group by given.place`)
  return new Map(
    rows.flatMap(({ place, pages, rows }) => {
      const table = tables[place - 1]
      return table ? [[table, Number(pages) * SECONDS_A_PAGE + Number(rows) * SECONDS_A_ROW]] : []
    }),
  )
}
