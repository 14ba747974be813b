import { type SQL, sql } from 'drizzle-orm'
import { columnOf, type Table } from '../../db/catalog.ts'
import { columnList, rowValue, tableName } from '../../db/identifiers.ts'
import type { Db } from '../../db/port.ts'
import type { NamedCell, PresentRows } from './present-rows.ts'

/**
 * Fills in what a row referred to, where that is NULL; returns false when no such row is there. `mayBeNull`: columns of
 * the key that may be NULL by now, when no row has all of it. Of columns that several references share, some may have
 * been filled in already.
 */
export async function fillReference(
  tx: Db,
  present: PresentRows,
  table: Table,
  key: readonly NamedCell[],
  was: readonly NamedCell[],
  mayBeNull: ReadonlySet<string> = new Set(),
): Promise<boolean> {
  const isNull = ([name]: NamedCell) => sql`${sql.identifier(name)} is null`
  const orNull = (cell: NamedCell) => sql`(${present.matches(table, [cell])} or ${isNull(cell)})`
  const isOpen = [...was.map(orNull), sql`(${sql.join(was.map(isNull), sql` or `)})`]
  // The database computes the others, and lets nobody write them.
  const written = was.filter(([name]) => !columnOf(table, name)?.generated)
  const set = written.map(
    ([name, cell]) => sql`${sql.identifier(name)} = ${present.value(table, name, cell)}`,
  )
  const fill = async (conditions: readonly SQL[]) => {
    const where = oneOf(tx, table, sql.join([...conditions, ...isOpen], sql` and `))
    return (
      (await tx.changes(sql`update ${tableName(table)} set ${sql.join(set, sql`, `)} where ${where}`)) > 0
    )
  }
  if (await fill(key.map((cell) => present.matches(table, [cell])))) return true
  const mayDiffer = key.some(([name, cell]) => cell !== null && mayBeNull.has(name))
  return (
    mayDiffer &&
    fill(key.map((cell) => (mayBeNull.has(cell[0]) ? orNull(cell) : present.matches(table, [cell]))))
  )
}

/** Without a primary key, several rows may have the same values: any of them will do, and only one. */
function oneOf({ dialect }: Db, table: Table, where: SQL): SQL {
  if (table.primaryKey.length > 0) return where
  const place = dialect.rowIdsOf(table).map(({ name }) => name)
  return sql`${rowValue(place)} = (select ${columnList(place)} from ${tableName(table)} where ${where} limit 1)`
}
