import { asc, or, sql } from 'drizzle-orm'
import { groupBy } from '../db/group-by.ts'
import { isTrue } from '../db/is-true.ts'
import type { Instant } from '../django/datetime.ts'
import type { ReminderStatus } from '../site/ledger.ts'
import type { Site } from '../site/site.ts'
import { isSpent } from '../users/reminded.ts'
import type { Recipient } from './recipients.ts'

/** What the ledger has about one reminder. */
export interface EarlierReminder {
  readonly runId: string
  readonly userKey: string
  readonly emailSha256: string
  readonly status: ReminderStatus
  readonly createdAt: Instant
  /** When the mail said that the account would be deleted. */
  readonly deletionAt: Instant | null
  /** Its user has been deleted since. */
  readonly isSpent: boolean
}

export type EarlierOf = (recipient: Recipient) => readonly EarlierReminder[]

/**
 * Returns what looks up the reminders that went to a user or to the same address, the oldest first. Of two accounts
 * with one address a person has one mailbox.
 */
export async function earlierReminders(site: Site, recipients: readonly Recipient[]): Promise<EarlierOf> {
  if (!site.shape.hasLedger || recipients.length === 0) return () => []
  const { reminders } = site.tables
  const { dialect } = site.db
  const rows = await site.db
    .select({
      runId: reminders.runId,
      userKey: reminders.userKey,
      emailSha256: reminders.emailSha256,
      status: reminders.status,
      createdAt: reminders.createdAt,
      deletionAt: reminders.deletionAt,
      isSpent: sql<boolean>`${isSpent(site)}`.mapWith(isTrue),
    })
    .from(reminders)
    .where(
      or(
        dialect.among(
          sql`${reminders.userKey}`,
          recipients.map(({ key }) => key),
        ),
        // Of the column's own type: with another one PostgreSQL would not use the index.
        dialect.keyAmong(
          sql`${reminders.emailSha256}`,
          'char(64)',
          recipients.map(({ emailSha256 }) => emailSha256),
        ),
      ),
    )
    .orderBy(asc(reminders.id))
  const found = rows.map((row, order) => ({ ...(row as unknown as EarlierReminder), order }))
  const byUser = groupBy(found, ({ userKey }) => userKey)
  const byAddress = groupBy(found, ({ emailSha256 }) => emailSha256)
  return ({ key, emailSha256 }) => {
    const own = byUser.get(key) ?? []
    const others = (byAddress.get(emailSha256) ?? []).filter(({ userKey }) => userKey !== key)
    return others.length === 0 ? own : [...own, ...others].sort((a, b) => a.order - b.order)
  }
}
