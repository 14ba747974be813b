import { expect } from 'vitest'
import type { Table } from '../../src/db/catalog.ts'
import { dependentsOf, edgeLabel } from '../../src/site/dependents.ts'
import type { RuleSettings } from '../../src/site/rules.ts'
import type { Criteria } from '../../src/users/criteria.ts'
import { type PurgePlan, planPurge } from '../../src/users/purge/plan.ts'
import type { PurgeReport } from '../../src/users/purge/purge-report.ts'
import type { RestoreReport } from '../../src/users/restore/restore-report.ts'
import { purgePlanned, putBack } from './archives.ts'
import { criteria } from './criteria.ts'
import { directoryOfTest } from './directory.ts'
import type { ReadRow } from './rows.ts'
import { allRowsOf, type TestSite } from './sites.ts'

type Rows = Record<string, ReadRow[]>

/**
 * Plans, purges into an archive and restores. Expects that plan, report and what has changed in the tables are the
 * same, and that everything is as before in the end. Returns the plan.
 */
export async function expectRoundTrip(
  site: TestSite,
  rules: RuleSettings = {},
  batchSize = 1000,
): Promise<PurgePlan> {
  const all = criteria({ rules })
  const before = await allRowsOf(site.db)
  const plan = await planPurge(site, all, { batchSize })
  const { report, after, restored } = await purgedAndRestored(site, all, plan)
  const { deleted, tables, nulled, failed, stopped } = report
  expect({ deleted, tables, nulled, failed, stopped }).toEqual({
    deleted: plan.toDelete,
    tables: plan.tables,
    nulled: plan.nulled,
    failed: [],
    stopped: undefined,
  })
  expect({ tables, nulled }).toEqual(difference(site, all, before, after))
  expect(restored.failed).toEqual([])
  expect(await allRowsOf(site.db)).toEqual(before)
  return plan
}

async function purgedAndRestored(
  site: TestSite,
  all: Criteria,
  plan: PurgePlan,
): Promise<{ report: PurgeReport; after: Rows; restored: Pick<RestoreReport, 'failed'> }> {
  const { path, report } = await purgePlanned(await directoryOfTest(), site, all, plan)
  const after = await allRowsOf(site.db)
  if (path === undefined) return { report, after, restored: { failed: [] } }
  return { report, after, restored: await putBack(site, path) }
}

/** What a report would have to say: rows that are gone, and rows that have lost a reference. */
function difference({ shape }: TestSite, { rules }: Criteria, before: Rows, after: Rows) {
  const tables: Record<string, number> = {}
  const nulled: Record<string, number> = {}
  const { edges } = dependentsOf(shape, rules)
  for (const table of shape.catalog.tables.values()) {
    const left = new Map(after[table.label]?.map((row) => [identity(table, row), row]))
    for (const row of before[table.label] ?? []) {
      const now = left.get(identity(table, row))
      if (!now) {
        tables[table.label] = (tables[table.label] ?? 0) + 1
        continue
      }
      const changed = table.columns.map(({ name }) => name).filter((name) => row[name] !== now[name])
      const lost = edges.filter(
        (edge) =>
          edge.table === table &&
          edge.columns.some((name) => changed.includes(name)) &&
          edge.columns.every((name) => row[name] !== null),
      )
      expect(lost.flatMap((edge) => edge.clears)).toEqual(expect.arrayContaining(changed))
      for (const edge of lost) expect(edge.columns.map((name) => now[name])).toContain(null)
      for (const label of new Set(lost.map(edgeLabel))) nulled[label] = (nulled[label] ?? 0) + 1
    }
  }
  return { tables, nulled }
}

/** A table without a primary key names its rows in a column `label`. */
function identity({ primaryKey }: Table, row: ReadRow): string {
  return JSON.stringify((primaryKey.length > 0 ? primaryKey : ['label']).map((name) => row[name]))
}
