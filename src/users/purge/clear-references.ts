import { type SQL, sql } from 'drizzle-orm'
import { identifyingColumns } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import { allPresent, rowValue, tableName } from '../../db/identifiers.ts'
import { cellsOf, type ImageRow } from '../../db/image.ts'
import { type Edge, edgeLabel, mayGo } from '../../site/dependents.ts'
import type { ClearedLine } from '../archive/lines.ts'
import type { BatchRows } from './batch-rows.ts'
import { losesReference, nulledColumns } from './nulled-columns.ts'
import type { Nulled, NulledRow } from './nulled-rows.ts'

/**
 * Sets references to the batch's rows to NULL, and hands over what they were before. Returns by the labels of columns
 * the rows that lost what they referred to, or how many there are where none of them can go itself later.
 */
export async function clearReferences(
  rows: BatchRows,
  edge: Edge,
  take: ((line: string) => void) | undefined,
): Promise<ReadonlyMap<string, Nulled>> {
  const { db, candidates } = rows
  const which = losesReference(candidates.doomed, edge)
  const all = nulledColumns(candidates).filter(({ table }) => table === edge.table)
  const shared = all.filter(({ label, clearedBy }) => clearedBy.includes(edge) && label !== edgeLabel(edge))
  if (take) await archiveReferences(rows, edge, which, take)
  const lost = new Map<string, Nulled>()
  for (const { label, columns } of shared) lost.set(label, await alsoLosing(rows, edge, which, columns))
  if (!mayGo(candidates.dependents, edge.table)) {
    return lost.set(edgeLabel(edge), await db.changes(clearing(rows, edge, which)))
  }
  const moves = edge.table.primaryKey.length === 0 && all.length > 1
  const cleared = moves
    ? await clearOneByOne(rows, edge, which)
    : await db.rows<NulledRow>(
        sql`${clearing(rows, edge, which)} returning ${rows.identity(edge.table)} as row`,
      )
  return lost.set(edgeLabel(edge), cleared)
}

function clearing(rows: BatchRows, { table, references, clears }: Edge, which: SQL): SQL {
  const set = clears.map((column) => sql`${sql.identifier(column)} = null`)
  return rows.withRows(
    [references, table],
    sql`update ${tableName(table)} set ${sql.join(set, sql`, `)} where ${which}`,
  )
}

/** Returns the rows that lose as well what they refer to through these columns, for they share some with the edge. */
async function alsoLosing(
  rows: BatchRows,
  { table, references }: Edge,
  which: SQL,
  columns: readonly string[],
): Promise<Nulled> {
  const found = await rows.db.rows<NulledRow>(
    rows.withRows(
      [references, table],
      sql`select ${rows.identity(table)} as row from ${tableName(table)}
        where ${which} and ${allPresent(columns)}`,
    ),
  )
  return mayGo(rows.candidates.dependents, table) ? found : found.length
}

/** A row that only its place tells from others may have another one with each change: one at a time, it can be followed. */
async function clearOneByOne(rows: BatchRows, edge: Edge, which: SQL): Promise<NulledRow[]> {
  const { db, candidates } = rows
  const { table, references } = edge
  const names = candidates.doomed.identityOf(table)
  const places = rows.columnsNamed(table, names).map(({ type }, at) => ({ at, type }))
  const identity = rows.identity(table)
  const select = sql`select ${identity} as row from ${tableName(table)} where ${which} ${db.dialect.forUpdate}`
  const found = await db.rows<NulledRow>(rows.withRows([references, table], select))
  const moved: NulledRow[] = []
  for (const { row: was } of found) {
    const isIt = sql`${rowValue(names)} in (${db.dialect.fromImages(`[${was}]`, places)})`
    const [now] = await db.rows<NulledRow>(sql`${clearing(rows, edge, isIt)} returning ${identity} as row`)
    if (now) moved.push({ ...now, was })
  }
  return moved
}

/** Before they are set to NULL. The rows are locked: what is archived is what was there. */
async function archiveReferences(
  rows: BatchRows,
  edge: Edge,
  which: SQL,
  take: (line: string) => void,
): Promise<void> {
  const { dialect } = rows.db
  const columns = [...lastingIdentity(edge), ...edge.columns]
  const image = dialect.image(rows.columnsNamed(edge.table, columns))
  const select = sql`select ${image} as image from ${tableName(edge.table)} where ${which} ${dialect.forUpdate}`
  const found = await rows.db.rows<ImageRow>(rows.withRows([edge.references, edge.table], select))
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
  const lasting = table.columns.filter(({ name, generated }) => !(generated || columns.includes(name)))
  return identifyingColumns(
    table,
    lasting.map(({ name }) => name),
  )
}
