import { expect } from 'vitest'
import type { RuleSettings } from '../../src/site/rules.ts'
import type { Site } from '../../src/site/site.ts'
import { planPurge } from '../../src/users/purge/plan.ts'
import { purge } from '../../src/users/purge/purge.ts'
import { criteria } from './criteria.ts'

/** Plans, purges, and asserts that the report says what the plan said. */
export async function purgeAsPlanned(site: Site, rules: RuleSettings = {}, batchSize = 2) {
  const all = criteria({ rules })
  const plan = await planPurge(site, all, { batchSize })
  const report = await purge(site, all, plan)
  expect(report.failed).toEqual([])
  expect(report.stopped).toBeUndefined()
  expect({
    deleted: report.deleted,
    tables: report.tables,
    nulled: report.nulled,
    kept: report.kept,
  }).toEqual({
    deleted: plan.toDelete,
    tables: plan.tables,
    nulled: plan.nulled,
    kept: plan.kept,
  })
  return { plan, report }
}
