import { type SQL, sql } from 'drizzle-orm'
import type { Cell } from '../../db/dialect.ts'
import { tableName } from '../../db/identifiers.ts'
import { cellsOf, type ImageRow } from '../../db/image.ts'
import { type Edge, mayGo } from '../../site/dependents.ts'
import type { ClearedLine } from '../archive/lines.ts'
import { losesReference } from '../candidates.ts'
import type { BatchRows } from './batch-rows.ts'
import type { Nulled } from './nulled-rows.ts'

/**
 * Sets references to the batch's rows to NULL, and hands over what they were before. Returns the rows that lost one, or
 * how many there are where none of them can go itself later.
 */
export async function clearReferences(
  rows: BatchRows,
  edge: Edge,
  take: ((line: string) => void) | undefined,
): Promise<Nulled> {
  const { tx, candidates } = rows
  const which = losesReference(candidates.doomed, edge)
  if (take) await archiveReferences(rows, edge, which, take)
  const cleared = edge.clears.map((column) => sql`${sql.identifier(column)} = null`)
  const update = rows.withRows(
    [edge.references, edge.table],
    sql`update ${tableName(edge.table)} set ${sql.join(cleared, sql`, `)} where ${which}`,
  )
  if (!mayGo(candidates.dependents, edge.table)) return tx.changes(update)
  const found = await tx.rows<{ row: string }>(sql`${update} returning ${rows.identity(edge.table)} as row`)
  return found.map(({ row }) => row)
}

/** Before they are set to NULL. The rows are locked: what is archived is what was there. */
async function archiveReferences(
  rows: BatchRows,
  edge: Edge,
  which: SQL,
  take: (line: string) => void,
): Promise<void> {
  const { dialect } = rows.tx
  const columns = [...lastingIdentity(edge), ...edge.columns]
  const image = dialect.image(rows.columnsNamed(edge.table, columns))
  const select = sql`select ${image} as image from ${tableName(edge.table)} where ${which} ${dialect.forUpdate}`
  const found = await rows.tx.rows<ImageRow>(rows.withRows([edge.references, edge.table], select))
  const n = rows.numberOf(edge.table)
  const cut = columns.length - edge.columns.length
  for (const row of found) {
    const named = cellsOf(row).map((cell, i): [string, Cell] => [columns[i] ?? '', cell])
    const [key, was] = [Object.fromEntries(named.slice(0, cut)), Object.fromEntries(named.slice(cut))]
    take(JSON.stringify({ n, key, was } satisfies ClearedLine))
  }
}

/** Returns the columns by which a row is found again later: without a primary key, all that stay as they are. */
function lastingIdentity({ table, columns }: Edge): readonly string[] {
  if (table.primaryKey.length > 0) return table.primaryKey
  return table.columns.flatMap(({ name, generated }) => (generated || columns.includes(name) ? [] : [name]))
}
