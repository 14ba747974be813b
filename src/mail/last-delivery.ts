import { count, desc, eq } from 'drizzle-orm'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import { refuseWithoutReminders } from '../users/reminded.ts'
import type { CampaignReport } from './campaign-report.ts'

/** What became of the reminders of one run. */
export interface Delivery {
  readonly reminders: number
  /** Bounced, failed or cut off: of these nobody knows whether they arrived. */
  readonly undelivered: number
}

/** Returns what became of the reminders of the last run that sent any; undefined when there was none. */
export async function lastDelivery(site: Site): Promise<Delivery | undefined> {
  refuseWithoutReminders(site)
  const { reminders } = site.tables
  const [last] = await site.db
    .select({ runId: reminders.runId })
    .from(reminders)
    .orderBy(desc(reminders.id))
    .limit(1)
  if (!last) return undefined
  const counts = await site.db
    .select({ status: reminders.status, count: count().mapWith(Number) })
    .from(reminders)
    .where(eq(reminders.runId, last.runId ?? ''))
    .groupBy(reminders.status)
  const sum = (some: typeof counts) => some.reduce((total, each) => total + each.count, 0)
  return { reminders: sum(counts), undelivered: sum(counts.filter(({ status }) => status !== 'sent')) }
}

/** Fewer mails than this say nothing about the mail server, when there are some each night and nobody is there to ask. */
const TELLING_MAILS = 10

/** Returns that most of the last reminders did not certainly arrive; undefined when they did. */
export function deliveryProblem(delivery: Delivery | undefined): string | undefined {
  return delivery && problemOf(delivery, 'the last run')
}

/** Throws a UserError (refused) when most of the last reminders did not certainly arrive. */
export function checkDelivery(delivery: Delivery | undefined): void {
  const problem = deliveryProblem(delivery)
  if (problem === undefined) return
  throw new UserError(`refused: ${problem}`, {
    kind: 'refused',
    hint: 'see why (usermgmt history), and remind them again before anybody is deleted; or, if that says nothing, --despite-failures',
  })
}

/** Throws a UserError (refused) when most of the reminders that a sweep has just sent did not certainly arrive. */
export function checkOwnDelivery({ sent, bounced, failed, uncertain }: CampaignReport): void {
  const undelivered = bounced + failed + uncertain
  const delivery = { reminders: sent + undelivered, undelivered }
  const problem = problemOf(delivery, 'this run')
  if (problem === undefined || delivery.reminders < TELLING_MAILS) return
  throw new UserError(`refused to delete anybody: ${problem}`, {
    kind: 'refused',
    hint: 'see the report and the mail server; the next sweep goes on',
  })
}

/** When most mails fail, those who did not react may not have been reached either. */
function problemOf({ reminders, undelivered }: Delivery, run: string): string | undefined {
  if (undelivered * 2 <= reminders) return undefined
  return `${undelivered} of the ${reminders} reminders of ${run} failed, bounced or were cut off`
}
