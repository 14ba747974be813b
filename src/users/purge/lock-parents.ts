import type { Table } from '../../db/catalog.ts'
import { columnList, tableName } from '../../db/identifiers.ts'
import { hasActiveKey } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import type { Candidates } from '../candidates.ts'
import { BatchRows } from './batch-rows.ts'
import { isDoomed } from './deletion-steps.ts'

/**
 * Holds off, until the transaction ends, whoever would write a row under one that may go with the users: where the
 * database itself would take it along, or change it, after others have been archived; with `all` of them also where it
 * would not. The users are locked already.
 */
export async function lockParents(
  site: Site,
  candidates: Candidates,
  keys: readonly string[],
  { all }: { readonly all: boolean },
): Promise<void> {
  const { dependents, doomed } = candidates
  const isLocked = (table: Table) =>
    all ? dependents.edges.some((edge) => edge.references === table) : hasActiveKey(dependents, table)
  const parents = dependents.spread
    .flatMap((group) => group.tables)
    .filter((table) => table !== dependents.users && isLocked(table))
  if (parents.length === 0) return
  const rows = new BatchRows(site, candidates, keys)
  for (const table of parents) {
    await site.db.dialect.lockRows(
      site.db,
      tableName(table),
      isDoomed(candidates, table),
      columnList(doomed.identityOf(table)),
      rows.definitions([table]),
    )
  }
}
