import { and, count, desc, eq, isNull, lte, not, or, type SQL, sql } from 'drizzle-orm'
import { emailHash } from '../db/email-hash.ts'
import type { Instant } from '../django/datetime.ts'
import { UserError } from '../errors.ts'
import { refuseWithoutLedger, type Site } from '../site/site.ts'
import type { DeletionDue } from './criteria.ts'

/**
 * Returns the condition that the last reminder to the address was delivered, not later than the instant, and not before
 * the user's last login: whoever came back since must be told again.
 * Throws a UserError when reminders have never been recorded here.
 */
export function lastRemindedBefore(site: Site, instant: Instant, email: SQL): SQL {
  return lastReminder(site, email, lte(site.tables.reminders.finishedAt, instant))
}

/**
 * Returns the condition that the last reminder to the address was delivered since the last login, and that the date
 * which it named for the deletion has come. Throws a UserError when reminders have never been recorded here.
 */
export function deletionHasCome(site: Site, { at, remindedBefore, negated }: DeletionDue, email: SQL): SQL {
  const { deletionAt, finishedAt } = site.tables.reminders
  const hasCome = or(lte(deletionAt, at), and(isNull(deletionAt), lte(finishedAt, remindedBefore)))
  const condition = lastReminder(site, email, sql`(${hasCome})`)
  return negated ? not(condition) : condition
}

function lastReminder(site: Site, email: SQL, fact: SQL): SQL {
  refuseWithoutReminders(site)
  const { users, reminders } = site.tables
  const key = sql`cast(${users.key} as text)`
  return sql`exists (select 1 from ${reminders} where ${reminders.userKey} = ${key} and ${reminders.status} = 'sent'
    and ${fact}${sinceLastLogin(site)}
    and ${reminders.emailSha256} = ${emailHash(site.db.dialect, email)}
    and not exists (select 1 from ${reminders} later where later.user_key = ${key} and later.id > ${reminders.id}))`
}

function sinceLastLogin({ tables: { users, reminders } }: Site): SQL {
  if (!users.last_login) return sql``
  return sql` and (${users.last_login} is null or ${reminders.finishedAt} > ${users.last_login})`
}

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
export const TELLING_MAILS = 10

/** Returns whether most of the mails did not certainly arrive: who did not react may not know either. */
export function isMostlyUndelivered({ reminders, undelivered }: Delivery): boolean {
  return undelivered * 2 > reminders
}

/** Returns that most of the last reminders did not certainly arrive; undefined when they did. */
export function deliveryProblem(delivery: Delivery | undefined): string | undefined {
  if (!delivery || !isMostlyUndelivered(delivery)) return undefined
  return `${delivery.undelivered} of the ${delivery.reminders} reminders of the last run failed, bounced or were cut off`
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

function refuseWithoutReminders(site: Site): void {
  refuseWithoutLedger(site, 'nobody has been reminded', 'then remind them with: usermgmt email')
}
