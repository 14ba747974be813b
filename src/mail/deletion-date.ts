import { dateOf } from '../django/datetime.ts'
import { instantAhead } from '../values/dates.ts'
import type { EarlierReminder } from './earlier-reminders.ts'
import type { DeletionDate } from './prepare.ts'
import type { Recipient } from './recipients.ts'

/**
 * Returns what tells each mail the date of the deletion: the last that an earlier mail has named, as long as it has not
 * come, else so long after this mail. The age is counted in the zone.
 */
export function deletionDates(age: string, zone: string): DeletionDate {
  return (recipient, earlier, at) => {
    const dates = earlier.filter((each) => wasDelivered(each, recipient)).map((each) => each.deletionAt)
    const named = dates.findLast((date) => date !== null) ?? null
    if (named !== null && dateOf(named) > at) return named
    return instantAhead(age, { now: at, zone })
  }
}

/**
 * Returns whether the reminder was delivered to this very address of this very account, not answered by a login, and not
 * used up by a deletion.
 */
export function wasDelivered(reminder: EarlierReminder, { key, emailSha256, user }: Recipient): boolean {
  const { status, userKey, createdAt, isSpent } = reminder
  if (status !== 'sent' || isSpent || userKey !== key || reminder.emailSha256 !== emailSha256) return false
  // Another account had the same key before.
  if (user.date_joined !== null && dateOf(createdAt) < dateOf(user.date_joined)) return false
  return user.last_login === null || dateOf(createdAt) > dateOf(user.last_login)
}
