import { and, inArray, isNull, lte, not, or, type SQL, sql } from 'drizzle-orm'
import { emailHash } from '../db/email-hash.ts'
import type { Instant } from '../django/datetime.ts'
import { MAY_HAVE_ARRIVED } from '../site/ledger.ts'
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
 * Returns the condition that the last reminder to the address was delivered since the last login, that the date which it
 * named for the deletion has come, and that none before it, to whatever address, named one that has not. Throws a
 * UserError when reminders have never been recorded here.
 */
export function deletionHasCome(site: Site, { at, remindedBefore, negated }: DeletionDue, email: SQL): SQL {
  const { deletionAt, finishedAt } = site.tables.reminders
  const hasCome = or(lte(deletionAt, at), and(isNull(deletionAt), lte(finishedAt, remindedBefore)))
  const condition = lastReminder(site, email, sql`(${hasCome}) and not ${isPromisedLater(site, at)}`)
  return negated ? not(condition) : condition
}

/** A later mail may have named no date, for rows kept the user, or the policy was another one. */
function isPromisedLater({ tables: { users, reminders } }: Site, at: Instant): SQL {
  const isSince = users.last_login
    ? sql` and (${users.last_login} is null or promise.created_at > ${users.last_login})`
    : sql``
  return sql`exists (select 1 from ${reminders} promise where promise.user_key = cast(${users.key} as text)
    and ${inArray(sql`promise.status`, MAY_HAVE_ARRIVED)}
    and promise.deletion_at > ${sql.param(at, reminders.deletionAt)}${isSince})`
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

/** Throws a UserError (refused) when reminders have never been recorded here. */
export function refuseWithoutReminders(site: Site): void {
  refuseWithoutLedger(site, 'nobody has been reminded', 'then remind them with: usermgmt email')
}
