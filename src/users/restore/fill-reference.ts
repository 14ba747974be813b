import { type SQL, sql } from 'drizzle-orm'
import { columnOf, type Table } from '../../db/catalog.ts'
import { columnList, rowValue, tableName } from '../../db/identifiers.ts'
import type { Db } from '../../db/port.ts'
import type { NamedCell, PresentRows } from './present-rows.ts'

/** A reference that a row has lost. */
export interface LostReference {
  readonly table: Table
  /** What tells the row from others. */
  readonly key: readonly NamedCell[]
  /** What the row referred to. */
  readonly was: readonly NamedCell[]
  /** Columns of the key that may be NULL by now, or were and are not any more, when no row has all of it. */
  readonly mayBeNull?: ReadonlySet<string>
}

/**
 * Fills in what a row referred to, where that is NULL; returns false when no such row is there. Of columns that several
 * references share, some may have been filled in already.
 */
export async function fillReference(
  tx: Db,
  present: PresentRows,
  { table, key, was, mayBeNull = new Set() }: LostReference,
): Promise<boolean> {
  const isOpen = [
    ...was.map((cell) => orNull(present, table, cell)),
    sql`(${sql.join(was.map(isNull), sql` or `)})`,
  ]
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
  const same = key.map((cell) => present.matches(table, [cell]))
  // The purge left all of them NULL: a row with some of them may be another one, which had lost them before.
  if (was.length > 1 && (await fill([...same, ...was.map(isNull)]))) return true
  if (await fill(same)) return true
  if (!key.some(([name]) => mayBeNull.has(name))) return false
  const emptied = key.filter(([name, cell]) => cell === null && mayBeNull.has(name))
  const alike = likeKey(present, table, key, mayBeNull)
  if (await fill([...alike, ...emptied.map(isNull)])) return true
  const where = sql.join([...alike, ...isOpen], sql` and `)
  return (await isOneKind(tx, table, emptied, where)) && fill(alike)
}

/**
 * Returns the conditions for a row that may have lost references since, or got back what it had lost already:
 * `mayBeNull` are their columns.
 */
export function likeKey(
  present: PresentRows,
  table: Table,
  key: readonly NamedCell[],
  mayBeNull: ReadonlySet<string>,
): SQL[] {
  return key
    .filter(([name, cell]) => cell !== null || !mayBeNull.has(name))
    .map((cell) => (mayBeNull.has(cell[0]) ? orNull(present, table, cell) : present.matches(table, [cell])))
}

/** False when rows differ in what they have got back: nobody can tell then which of them is meant. */
async function isOneKind(tx: Db, table: Table, emptied: readonly NamedCell[], where: SQL): Promise<boolean> {
  if (emptied.length === 0) return false
  const names = columnList(emptied.map(([name]) => name))
  const kinds = await tx.rows(sql`select distinct ${names} from ${tableName(table)} where ${where} limit 2`)
  return kinds.length === 1
}

function isNull([name]: NamedCell): SQL {
  return sql`${sql.identifier(name)} is null`
}

function orNull(present: PresentRows, table: Table, cell: NamedCell): SQL {
  return sql`(${present.matches(table, [cell])} or ${isNull(cell)})`
}

/** Without a primary key, several rows may have the same values: any of them will do, and only one. */
function oneOf({ dialect }: Db, table: Table, where: SQL): SQL {
  if (table.primaryKey.length > 0) return where
  const place = dialect.rowIdsOf(table).map(({ name }) => name)
  return sql`${rowValue(place)} = (select ${columnList(place)} from ${tableName(table)} where ${where} limit 1)`
}
