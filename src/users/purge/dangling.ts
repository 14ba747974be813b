import { sql } from 'drizzle-orm'
import type { Table } from '../../db/catalog.ts'
import { BrokenReference } from '../../db/errors.ts'
import { refersTo } from '../../db/foreign-keys.ts'
import { allPresent, ownName, tableName } from '../../db/identifiers.ts'
import { isTrue } from '../../db/is-true.ts'
import { deletingEdges } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import type { BatchRows } from './batch-rows.ts'
import { isDoomed } from './deletion-steps.ts'

const PARENT = ownName('parent')

/** Throws a BrokenReference when a row of the batch could not be put back: what it refers to was missing before. */
export async function refuseDangling(
  rows: BatchRows,
  { shape }: Site,
  empty: ReadonlySet<Table>,
): Promise<void> {
  const { db, candidates } = rows
  const { dependents } = candidates
  const tables = dependents.order.flat().filter((table) => !empty.has(table))
  const keys = shape.catalog.foreignKeys.filter((key) => {
    if (!tables.includes(key.table)) return false
    const [edge, ...others] = deletingEdges(dependents, key.table)
    // Through the only one, the rows have been found.
    return others.length > 0 || edge?.columns.join() !== key.columns.join()
  })
  if (keys.length === 0) return
  const found = keys.map(
    (key, i) => sql`exists (select 1 from ${tableName(key.table)} where ${isDoomed(candidates, key.table)}
      and ${allPresent(key.columns)}
      and not exists (select 1 from ${tableName(key.references)} ${PARENT}
        where ${refersTo(key, tableName(key.table), PARENT)})) as ${sql.identifier(`key_${i}`)}`,
  )
  const [row = {}] = await db.rows<Record<string, unknown>>(
    rows.withRows(
      keys.map(({ table }) => table),
      sql`select ${sql.join(found, sql`, `)}`,
    ),
  )
  const dangling = keys.find((_, i) => isTrue(row[`key_${i}`]))
  if (dangling) throw new BrokenReference(dangling)
}
