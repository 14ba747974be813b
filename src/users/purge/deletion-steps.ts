import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../../db/catalog.ts'
import { refersInto } from '../../db/foreign-keys.ts'
import { columnList, rowValue } from '../../db/identifiers.ts'
import { deletingEdges, type Edge, mayBeNulled, refersToItself } from '../../site/dependents.ts'
import type { Candidates } from '../candidates.ts'

/** Rows that one statement deletes: the condition refers to the doomed rows of these tables. */
export interface DeletionStep {
  readonly table: Table
  readonly tables: readonly Table[]
  readonly which: SQL
  /** The column through which a list of users' keys finds the same rows, and sooner; it has an index. */
  readonly userColumn?: string | undefined
}

/** Returns the condition that a row of the table is doomed. */
export function isDoomed({ doomed }: Candidates, table: Table): SQL {
  const columns = doomed.identityOf(table)
  return sql`${rowValue(columns)} in (select ${columnList(columns)} from ${doomed.nameOf(table)})`
}

/** Returns the steps that delete all doomed rows of a table whose rows do not refer to each other. */
export function stepsOf(candidates: Candidates, table: Table): DeletionStep[] {
  const { dependents, doomed } = candidates
  if (table === dependents.users) {
    const [userColumn] = doomed.identityOf(table)
    return [{ table, tables: [table], which: isDoomed(candidates, table), userColumn }]
  }
  return deletingEdges(dependents, table).map((edge) => ({
    table,
    tables: [edge.references],
    which: refersInto(edge, doomed.nameOf(edge.references)),
    userColumn: edge.references === dependents.users && edge.indexed ? plainColumn(edge) : undefined,
  }))
}

/** Returns the only column of the edge when it is compared as it is. */
function plainColumn({ columns, collations, conversions }: Edge): string | undefined {
  const isPlain = columns.length === 1 && !collations[0] && !conversions
  return isPlain ? columns[0] : undefined
}

/**
 * Returns all steps of a deletion when no row is met by two of them, nor changed by one before it goes; otherwise
 * undefined. Of `empty` tables it is known that they have no row.
 */
export function plainSteps(
  candidates: Candidates,
  empty: ReadonlySet<Table>,
): readonly DeletionStep[] | undefined {
  const { dependents } = candidates
  const groups = dependents.order.filter((group) => !group.every((table) => empty.has(table)))
  const isPlain = groups
    .flat()
    .every((table) => !refersToItself(dependents, table) && !mayBeNulled(dependents, table))
  if (!isPlain || groups.some((group) => group.length > 1)) return undefined
  const steps = groups.flat().map((table) => stepsOf(candidates, table))
  return steps.every(({ length }) => length === 1) ? steps.flat() : undefined
}
