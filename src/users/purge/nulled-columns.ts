import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../../db/catalog.ts'
import { refersInto } from '../../db/foreign-keys.ts'
import { groupBy } from '../../db/group-by.ts'
import { allPresent, equalColumns, ownName, tableName } from '../../db/identifiers.ts'
import { type Edge, edgeLabel, edgesOnto, mayGo } from '../../site/dependents.ts'
import type { Relations } from '../../site/relations.ts'
import type { Candidates } from '../candidates.ts'

const GONE = ownName('gone')

/** Columns through which rows lose what they refer to: a row that loses several references in them counts once. */
export interface NulledColumns {
  /** `blog_post.editor_id`. */
  readonly label: string
  readonly table: Table
  readonly columns: readonly string[]
  /** The foreign keys that set one of them to NULL: also others that share a column. */
  readonly clearedBy: readonly Edge[]
}

/** Returns the columns of the foreign keys that are set to NULL. Of `empty` tables it is known that they have no row. */
export function nulledColumns(
  { dependents }: Candidates,
  empty: ReadonlySet<Table> = new Set(),
): NulledColumns[] {
  const edges = dependents.order
    .flat()
    .flatMap((table) => edgesOnto(dependents, table, 'set-null'))
    .filter(({ table, references }) => !empty.has(table) && !empty.has(references))
  return [...groupBy(edges, edgeLabel)].flatMap(([label, [edge]]) => {
    if (!edge) return []
    const { table, columns } = edge
    const clearedBy = edges.filter(
      (each) => each.table === table && each.clears.some((name) => columns.includes(name)),
    )
    return { label, table, columns, clearedBy }
  })
}

/** Returns the condition that a row loses what it refers to through the columns, and is not deleted itself. */
export function losesThrough(doomed: Relations, { columns, clearedBy }: NulledColumns): SQL {
  const [edge, ...others] = clearedBy
  if (edge && others.length === 0) return losesReference(doomed, edge)
  const loses = clearedBy.map((each) => sql`(${losesReference(doomed, each)})`)
  return sql`${allPresent(columns)} and (${sql.join(loses, sql` or `)})`
}

/** Returns the condition that a row refers to one that is deleted, and is not deleted itself in the same step. */
export function losesReference(doomed: Relations, edge: Edge): SQL {
  const refers = refersInto(edge, doomed.nameOf(edge.references))
  const { dependents } = doomed
  if (!mayGo(dependents, edge.table)) return refers
  const identity = doomed.identityOf(edge.table)
  return sql`${refers} and not exists (select 1 from ${doomed.nameOf(edge.table)} ${GONE}
    where ${equalColumns(GONE, identity, tableName(edge.table), identity)})`
}
