import { eq, inArray, sql } from 'drizzle-orm'
import { groupBy } from '../db/group-by.ts'
import type { Instant } from '../django/datetime.ts'
import type { ReminderStatus } from '../site/ledger.ts'
import type { Site } from '../site/site.ts'
import type { Recipient } from './recipients.ts'

/** A mail that is about to be sent. */
export interface Beginning {
  readonly recipient: Recipient
  readonly deletionDate: Instant | null
}

/** What has become of a reminder. */
export interface Result {
  readonly reminderId: string
  /** `unsent`: it has certainly not left, and counts for nothing. */
  readonly status: ReminderStatus | 'unsent'
  readonly reply: string
  readonly attempts: number
}

/** Records that the mails are about to be sent, within the transaction; returns the reminder of each user by key. */
export async function insertReminders(
  { db, tables: { reminders } }: Site,
  runId: string,
  beginnings: readonly Beginning[],
  at: Instant,
): Promise<Map<string, string>> {
  if (beginnings.length === 0) return new Map()
  const rows = beginnings.map(({ recipient, deletionDate }) => ({
    runId,
    userKey: recipient.key,
    emailSha256: recipient.emailSha256,
    addressKey: recipient.addressKey,
    status: 'sending' as const,
    deletionAt: deletionDate,
    createdAt: at,
    attempts: 0,
  }))
  const inserted = await db
    .insert(reminders)
    .values(rows)
    .returning({ id: reminders.id, userKey: reminders.userKey })
  return new Map(inserted.map(({ id, userKey }) => [String(userKey), String(id)]))
}

/** Records the results, within the transaction. `confirmations`: each mail has made one, which goes when it is unsent. */
export async function recordResults(
  site: Site,
  results: readonly Result[],
  { at, confirmations }: { at: Instant; confirmations: boolean },
): Promise<void> {
  const { db, tables } = site
  const { reminders } = tables
  for (const group of groupBy(results, ({ status, attempts }) => `${status} ${attempts}`).values()) {
    const [first] = group
    if (!first) continue
    const ids = group.map(({ reminderId }) => reminderId)
    if (first.status === 'unsent') {
      if (confirmations) await removeConfirmations(site, ids)
      await db.delete(reminders).where(inArray(reminders.id, ids))
      continue
    }
    const { status, attempts } = first
    await db
      .update(reminders)
      .set({
        status,
        attempts,
        reply: repliesOf(site, group),
        finishedAt: status === 'sending' ? null : at,
      })
      .where(inArray(reminders.id, ids))
  }
}

/** One statement for many rows: one for each would cost a round trip each. */
function repliesOf({ tables: { reminders } }: Site, results: readonly Result[]) {
  const cases = results.map(
    ({ reminderId, reply }) => sql` when ${eq(reminders.id, reminderId)} then ${reply}`,
  )
  return sql`case${sql.join(cases)} end`
}

/** They have the time of the reminder; the site would take the user for written to. */
async function removeConfirmations({ db, tables }: Site, ids: readonly string[]): Promise<void> {
  const { reminders, confirmations } = tables
  await db.run(sql`delete from ${confirmations} where exists (select 1 from ${reminders}
    where ${inArray(reminders.id, [...ids])} and ${reminders.createdAt} = ${confirmations.sent}
      and ${reminders.addressKey} = cast(${confirmations.emailAddress} as text))`)
}
