import { sql } from 'drizzle-orm'
import { columnOf, type ForeignKey } from '../../db/catalog.ts'
import { BrokenReference } from '../../db/errors.ts'
import { refersTo } from '../../db/foreign-keys.ts'
import { groupBy } from '../../db/group-by.ts'
import { rowValue, tableName } from '../../db/identifiers.ts'
import type { DeletedLine } from '../archive/lines.ts'
import type { PuttingBack } from './putting-back.ts'

/**
 * Throws when a row that was put back refers to one that is not there. For a transaction that will never be committed:
 * some databases look only then.
 */
export async function refuseOrphans(work: PuttingBack): Promise<void> {
  const { foreignKeys } = work.site.shape.catalog
  for (const [table, rows] of groupBy(work.tally.rows, (line) => work.rows.tableOf(line))) {
    for (const key of foreignKeys.filter((each) => each.table === table)) {
      if (await hasOrphans(work, key, rows)) throw new BrokenReference(key)
    }
  }
}

async function hasOrphans(
  { site, rows }: PuttingBack,
  key: ForeignKey,
  lines: readonly DeletedLine[],
): Promise<boolean> {
  const { table, columns, references } = key
  const values = rows.valuesOf(lines, columns).filter((cells) => !cells.includes(null))
  if (values.length === 0) return false
  const types = columns.map((name, at) => ({ at, type: columnOf(table, name)?.type ?? '' }))
  const found = await site.db.rows(sql`select 1 from ${tableName(table)} child
    where ${rowValue(columns, sql`child`)} in (${site.db.dialect.fromImages(JSON.stringify(values), types)})
      and not exists (select 1 from ${tableName(references)} parent
        where ${refersTo(key, sql`child`, sql`parent`)}) limit 1`)
  return found.length > 0
}
