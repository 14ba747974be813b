import { groupBy } from '../../db/group-by.ts'
import { quotedText, tableText } from '../../db/identifiers.ts'
import type { Db } from '../../db/port.ts'
import { type Edge, edgeLabel } from '../../site/dependents.ts'

/** A referencing column without an index, and the statement that makes one. */
export interface MissingIndex {
  readonly edge: string
  readonly statement: string
  /** How long a purge may take because of it, about; undefined where the database cannot tell. */
  readonly seconds?: number | undefined
}

/**
 * Returns the references that the database must look for in whole tables. `deleted` tells how many rows of a table are
 * to go: for each of them the table that refers to it is read once, to make sure that nothing refers to it any more.
 */
export async function missingIndexes(
  db: Db,
  edges: readonly Edge[],
  deleted: (table: Edge['references']) => number,
): Promise<MissingIndex[]> {
  const missing = edges.filter((edge) => !edge.indexed)
  if (missing.length === 0) return []
  const scans = await db.dialect.scanSeconds(
    db,
    missing.map((edge) => edge.table),
  )
  // One index serves all foreign keys of the same columns.
  return [...groupBy(missing, (edge) => createIndex(db, edge))].flatMap(([statement, [edge, ...others]]) => {
    if (!edge) return []
    const scan = scans.get(edge.table)
    // Nobody looks into a table for rows that no foreign key forbids.
    const enforced = [edge, ...others].filter((each) => !('declared' in each))
    const rows = enforced.reduce((sum, { references }) => sum + deleted(references), 0)
    const seconds = scan === undefined || rows === 0 ? undefined : rows * scan
    return { edge: edgeLabel(edge), statement, seconds }
  })
}

function createIndex({ dialect }: Db, { table, columns }: Edge): string {
  const index = quotedText(`${table.name}_${columns.join('_')}`)
  return `${dialect.createIndex(table)} ${index} ON ${tableText(table)} (${columns.map((column) => quotedText(column)).join(', ')});`
}
