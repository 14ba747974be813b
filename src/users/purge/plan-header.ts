import { type Instant, instantOf } from '../../django/datetime.ts'
import type { Site } from '../../site/site.ts'
import { type SiteDatabase, siteDatabase } from '../../site/site-database.ts'
import { type Criteria, withoutNamedUsers } from '../criteria.ts'
import type { PurgePlan } from './plan.ts'

export const PLAN_FORMAT = 1

/** The first line of a plan file; each further line is a user: `["key","fingerprint"]`. */
export interface PlanHeader {
  readonly usermgmt: string
  readonly plan: number
  readonly database: SiteDatabase
  readonly made: Instant
  /** Guards and rules as they were; the selection without the users named, for the lines are these. */
  readonly criteria: Criteria
  readonly counts: Pick<PurgePlan, 'since' | 'matched' | 'toDelete' | 'kept' | 'tables' | 'nulled'>
}

/** Returns the header of a plan that is made now. */
export function planHeader(
  site: Site,
  { selection, guards, rules }: Criteria,
  { since, matched, toDelete, kept, tables, nulled }: PurgePlan,
  run: { readonly version: string; readonly now: Date },
): PlanHeader {
  return {
    usermgmt: run.version,
    plan: PLAN_FORMAT,
    database: siteDatabase(site),
    made: instantOf(run.now),
    criteria: { selection: withoutNamedUsers(selection), guards, rules },
    counts: { since, matched, toDelete, kept, tables, nulled },
  }
}
