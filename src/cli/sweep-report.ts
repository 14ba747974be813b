import type { CampaignPlan } from '../mail/campaign-plan.ts'
import type { CampaignReport } from '../mail/campaign-report.ts'
import type { PurgePlan } from '../users/purge/plan.ts'
import type { DeletionReport } from './deletion-report.ts'

/** What is to be done. A policy that only reminds deletes nobody. */
export interface SweepPlan {
  readonly mail: CampaignPlan
  readonly deletion: PurgePlan | undefined
}

/** What has been done. */
export interface SweepReport {
  readonly mail: CampaignReport
  /** Undefined when it never came to that. */
  readonly deletion: DeletionReport | undefined
  /** To remind or to delete: of so many. */
  readonly candidates: number
}

/** Returns how many the plan is about: those whose date of deletion has come, and the others. */
export function candidatesIn({ mail, deletion }: SweepPlan): number {
  return mail.matched + (deletion?.matched ?? 0)
}
