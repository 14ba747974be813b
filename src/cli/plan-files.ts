import { resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { packageVersion } from '../package-root.ts'
import type { Site } from '../site/site.ts'
import { isSameDatabase, otherDatabase, type SiteDatabase, siteDatabase } from '../site/site-database.ts'
import type { Criteria } from '../users/criteria.ts'
import { freezePlan, type PlanOptions, type PurgePlan, planIdentified } from '../users/purge/plan.ts'
import { planHeader, refuseOtherTables } from '../users/purge/plan-header.ts'
import { openPlan, plannedUsers } from '../users/purge/plan-reader.ts'
import { PlanWriter } from '../users/purge/plan-writer.ts'
import { reviewedCriteria } from '../users/purge/reviewed-criteria.ts'
import { type PlannedBatch, unchangedKeys } from '../users/recheck.ts'
import type { Context } from './context.ts'

/** Users looked at together while a plan is written or checked. */
const AT_A_TIME = 1_000

/** A plan that somebody has read, and wants carried out as it is. */
export interface ReviewedPlan {
  readonly criteria: Criteria
  /** Throws a UserError (refused) when the plan was made for another site, or for other tables. */
  refuseOther(site: Site): void
  /** Returns what can still be carried out of the plan; who matched and who was kept is of when it was made. */
  plan(site: Site, options: Pick<PlanOptions, 'countsRows'>): Promise<PurgePlan>
  users(batchSize: number): AsyncIterable<PlannedBatch>
}

/** Plans, and writes who is to be deleted into the file; it is there when the plan is complete. */
export async function frozenPlan(
  site: Site,
  criteria: Criteria,
  file: string,
  context: Context,
): Promise<PurgePlan> {
  const writer = await PlanWriter.create(resolve(context.cwd, file))
  try {
    const plan = await freezePlan(site, criteria, AT_A_TIME, async (made) => {
      const run = { version: packageVersion(), now: context.now() }
      await writer.header(planHeader(site, criteria, made, run))
      return (batch) => writer.batch(batch)
    })
    await writer.finish()
    return plan
  } catch (error) {
    await writer.discard()
    throw error
  }
}

/** Reads a plan. Throws a UserError when it is none. */
export async function loadPlan(
  file: string,
  { configured }: Settings,
  context: Context,
): Promise<ReviewedPlan> {
  const path = resolve(context.cwd, file)
  const header = await openPlan(path)
  const { database, counts } = header
  const { protect, references, rules } = configured
  const criteria = reviewedCriteria(header, { protect, references, keep: rules.keep })
  return {
    criteria,
    refuseOther(site) {
      refuseOther(database, siteDatabase(site))
      refuseOtherTables(site, header)
    },
    async plan(site, options) {
      const userKeys = await unchangedKeys(site, criteria, plannedUsers(path, AT_A_TIME))
      const selection = { ...criteria.selection, userKeys }
      const left = await planIdentified(site, { ...criteria, selection }, options)
      const { since, matched, kept, toDelete: planned } = counts
      return { ...left, since, matched, kept, changed: planned - left.toDelete }
    },
    users: (batchSize) => plannedUsers(path, batchSize),
  }
}

function refuseOther(planned: SiteDatabase, here: SiteDatabase): void {
  if (isSameDatabase(planned, here)) return
  throw otherDatabase(planned, here, {
    problem: 'the plan was made for another database',
    hint: ': make a plan for it with --plan-out',
  })
}
