import type { ReminderStatus } from '../site/ledger.ts'
import type { Stop } from '../stop.ts'
import { addKept, type KeptCounts } from '../users/kept-counts.ts'
import type { CampaignPlan } from './campaign-plan.ts'
import { checkFailures, type FailureLimit } from './failure-limit.ts'
import type { SkipReason } from './reminder-rules.ts'

/** A mail that did not arrive, or perhaps did not. */
export interface FailedMail {
  /** The user, as people read the id. */
  readonly id: string
  readonly status: 'bounced' | 'failed' | 'uncertain'
  readonly reply: string
}

export interface CampaignReport {
  readonly since: string
  readonly matched: number
  readonly sent: number
  readonly bounced: number
  readonly failed: number
  /** Nobody knows whether they arrived; the ledger keeps them as `sending`. */
  readonly uncertain: number
  readonly kept: KeptCounts
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>
  /** Users of the plan who were not mailed because they changed since; not those who are kept or skipped since. */
  readonly changed: number
  /** The first of those that bounced, failed or are uncertain. */
  readonly problems: readonly FailedMail[]
  /** Stopped before its end: by a signal, or because no more could or should be sent. */
  readonly stopped?: Stop | undefined
}

/** More of them would grow in memory; the ledger has all. */
const PROBLEMS = 1_000

interface NotMailed {
  readonly kept?: KeptCounts
  readonly skipped?: readonly SkipReason[]
  readonly changed: number
}

/** Counts what becomes of the mails of a campaign. */
export class CampaignTally {
  private readonly plan: CampaignPlan
  private kept: KeptCounts
  private readonly skipped: Partial<Record<SkipReason, number>>
  private readonly problems: FailedMail[] = []
  private readonly counts = { sent: 0, bounced: 0, failed: 0, uncertain: 0 }
  private changed = 0
  private leftOut = 0

  constructor(plan: CampaignPlan) {
    this.plan = plan
    this.kept = plan.kept
    this.skipped = { ...plan.skipped }
  }

  /** So many were to be mailed, and are no longer: what keeps them now, and how many of them nothing of that. */
  notMailed(users: number, { kept = {}, skipped = [], changed }: NotMailed): void {
    this.leftOut += users
    this.changed += changed
    this.kept = addKept(this.kept, kept)
    for (const reason of skipped) this.skipped[reason] = (this.skipped[reason] ?? 0) + 1
  }

  /** Counts a mail that was tried. Throws a UserError when too many have failed. */
  finished(id: string, status: ReminderStatus, reply: string, max: FailureLimit): void {
    const outcome = status === 'sending' ? 'uncertain' : status
    this.counts[outcome] += 1
    if (outcome === 'sent') return
    if (this.problems.length < PROBLEMS) this.problems.push({ id, status: outcome, reply })
    const tried = this.tried()
    checkFailures({ tried, failures: tried - this.counts.sent, planned: this.plan.toMail }, max)
  }

  progress(): { done: number; total: number } {
    return { done: this.tried() + this.leftOut, total: this.plan.toMail }
  }

  report(): Omit<CampaignReport, 'stopped'> {
    const { since, matched } = this.plan
    const { kept, skipped, changed, problems } = this
    return { since, matched, ...this.counts, kept, skipped, changed, problems }
  }

  private tried(): number {
    const { sent, bounced, failed, uncertain } = this.counts
    return sent + bounced + failed + uncertain
  }
}
