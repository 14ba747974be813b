import { sql } from 'drizzle-orm'
import type { Table } from '../catalog.ts'
import { quotedString, tableName, tableText } from '../identifiers.ts'
import type { Db } from '../port.ts'
import { postgresWithoutRight } from './without-right.ts'

/** The types that a serial or identity column may have. */
const NUMBERED: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint'])

/**
 * As `Dialect.advanceSequences`, for the ascending sequences that columns of primary keys own
 * (https://www.postgresql.org/docs/current/functions-sequence.html).
 */
export async function advanceSequences(db: Db, tables: readonly Table[]): Promise<readonly Table[]> {
  const unreadable = await postgresWithoutRight(db, 'SELECT', tables)
  const keys = tables.flatMap((table) =>
    (unreadable.has(table) ? [] : table.columns)
      .filter(({ name, type, filled }) => filled && NUMBERED.has(type) && table.primaryKey.includes(name))
      .map(({ name }) => ({ table, name })),
  )
  if (keys.length === 0) return []
  const found = keys.map(({ table, name }, place) => {
    const [label, column] = [sql.raw(quotedString(tableText(table))), sql.raw(quotedString(name))]
    return sql`select ${sql.raw(String(place))} as place, pg_get_serial_sequence(${label}, ${column})::regclass as sequence,
      (select max(${sql.identifier(name)}) from ${tableName(table)})::bigint as largest`
  })
  // Of what this role may not look at it is told nothing: where the rows come from there, all is as it should be.
  const rows = await db.rows<{ place: number; is_set: boolean }>(sql`
    with behind as materialized (
      select place, sequence, largest from (${sql.join(found, sql` union all `)}) found
      join pg_sequence on seqrelid = sequence
      where seqincrement > 0 and largest <= seqmax and case
        when has_sequence_privilege(sequence, 'USAGE, SELECT')
        then largest > coalesce(pg_sequence_last_value(sequence), seqstart - 1) end)
    select place, case when has_sequence_privilege(sequence, 'UPDATE')
      then setval(sequence, largest) is not null else false end as is_set from behind`)
  return rows.flatMap(({ place, is_set }) => (is_set ? [] : (keys[place]?.table ?? [])))
}
