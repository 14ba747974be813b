import { type SQL, sql } from 'drizzle-orm'
import type { Column, Table } from '../../db/catalog.ts'
import { isTaken, KeptByTrigger, refusalReason, shortReason } from '../../db/errors.ts'
import { columnList, tableName } from '../../db/identifiers.ts'
import type { ImageRow } from '../../db/image.ts'
import type { Db } from '../../db/port.ts'
import { inSavepoint } from '../../db/savepoint.ts'

/** Rows for a table: what selects or lists their values, in the order of the columns. */
export interface NewRows {
  readonly table: Table
  readonly columns: readonly Column[]
  readonly source: SQL
}

/**
 * Inserts the rows, save those whose key or unique values are there already; returns how many went in. Throws the
 * database's error when it refuses one for another reason.
 */
export function insertAbsent(tx: Db, rows: NewRows): Promise<number> {
  return unlessTaken(tx, rows, 0, (insert) => tx.changes(insert))
}

/** As `insertAbsent`; returns the rows as they are now: a column may make another value of what it is given. */
export function insertAndRead(tx: Db, rows: NewRows): Promise<ImageRow[]> {
  const image = tx.dialect.image(rows.columns)
  return unlessTaken<ImageRow[]>(tx, rows, [], (insert) =>
    tx.rows(sql`${insert} returning ${image} as image`),
  )
}

/** Returns why `insertAbsent` has left out the row, and leaves no trace. */
export async function whyAbsent(tx: Db, row: NewRows): Promise<string> {
  try {
    const leavesNoTrace = () => false
    await inSavepoint(tx, () => tx.run(insertOf(tx, row)), leavesNoTrace)
    return shortReason(new KeptByTrigger())
  } catch (error) {
    return refusalReason(error)
  }
}

function insertOf({ dialect }: Db, { table, columns, source }: NewRows): SQL {
  return sql`insert into ${tableName(table)} (${columnList(columns.map(({ name }) => name))})
    ${dialect.overridingIdentity} ${source}`
}

async function unlessTaken<T>(tx: Db, rows: NewRows, none: T, run: (insert: SQL) => Promise<T>): Promise<T> {
  const { table } = rows
  const insert = insertOf(tx, rows)
  if (table.deferrableKeys.length === 0) return run(sql`${insert} on conflict do nothing`)
  // ON CONFLICT cannot ask a key that may be checked later.
  await tx.dialect.checkKeysAtOnce(tx, table)
  try {
    return await inSavepoint(tx, () => run(insert))
  } catch (error) {
    if (isTaken(error)) return none
    throw error
  }
}
