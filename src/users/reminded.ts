import { and, inArray, isNull, lte, not, or, type SQL, sql } from 'drizzle-orm'
import { emailHash } from '../db/email-hash.ts'
import type { Instant } from '../django/datetime.ts'
import { ledgerTables, MAY_HAVE_ARRIVED } from '../site/ledger.ts'
import { refuseWithoutLedger, type Site } from '../site/site.ts'
import type { DeletionDue, Reminded } from './criteria.ts'

/**
 * Returns the condition that the last reminder to the address was delivered, not later than the instant, that the user has
 * neither logged in, nor signed up anew, nor been deleted and put back since it was written, and that none, to whatever
 * address, named a date for the deletion that has not come. Throws a UserError when reminders have never been recorded here.
 */
export function lastRemindedBefore(site: Site, { before, at }: Reminded, email: SQL): SQL {
  const isOld = lte(site.tables.reminders.finishedAt, before)
  return lastReminder(site, email, sql`${isOld} and not ${isPromisedLater(site, at)}`)
}

/**
 * Returns the condition that the last reminder to the address was delivered, that the user has neither logged in, nor
 * signed up anew, nor been deleted and put back since it was written, that the date which it named for the deletion has
 * come, and that none before it, to whatever address, named one that has not. Throws a UserError when reminders have
 * never been recorded here.
 */
export function deletionHasCome(site: Site, { at, remindedBefore, negated }: DeletionDue, email: SQL): SQL {
  const { deletionAt, finishedAt } = site.tables.reminders
  const hasCome = or(lte(deletionAt, at), and(isNull(deletionAt), lte(finishedAt, remindedBefore)))
  const condition = lastReminder(site, email, sql`(${hasCome}) and not ${isPromisedLater(site, at)}`)
  return negated ? not(condition) : condition
}

/** A later mail may have named no date, for rows kept the user, or the policy was another one. */
function isPromisedLater(site: Site, at: Instant): SQL {
  const { users, reminders } = site.tables
  return sql`exists (select 1 from ${reminders} promise where promise.user_key = cast(${users.key} as text)
    and ${inArray(sql`promise.status`, MAY_HAVE_ARRIVED)}
    and promise.deletion_at > ${sql.param(at, reminders.deletionAt)}${isNews(site, sql`promise.created_at`)})`
}

function lastReminder(site: Site, email: SQL, fact: SQL): SQL {
  refuseWithoutReminders(site)
  const { users, reminders } = site.tables
  const key = sql`cast(${users.key} as text)`
  return sql`exists (select 1 from ${reminders} where ${reminders.userKey} = ${key} and ${reminders.status} = 'sent'
    and ${fact}${isNews(site, sql`${reminders.createdAt}`)} and not ${isSpent(site)}
    and ${reminders.emailSha256} = ${emailHash(site.db.dialect, email)}
    and not exists (select 1 from ${reminders} later where later.user_key = ${key} and later.id > ${reminders.id}))`
}

/** Whoever came back since must be told again, and whoever signed up anew under the same key has been told nothing. */
function isNews({ tables: { users } }: Site, writtenAt: SQL): SQL {
  const { last_login: login, date_joined: joined } = users
  return sql.join([
    login ? sql` and (${login} is null or ${writtenAt} > ${login})` : sql``,
    joined ? sql` and (${joined} is null or ${writtenAt} >= ${joined})` : sql``,
  ])
}

/** Returns the condition that the user of the reminder has been deleted since: whoever is back must be told again. */
export function isSpent({ db, tables: { reminders } }: Site): SQL {
  const { deletions } = ledgerTables(db.dialect.kit)
  return sql`exists (select 1 from ${deletions} deletion
    where deletion.user_key = ${reminders}.user_key and deletion.deleted_at >= ${reminders}.created_at)`
}

/** Throws a UserError (refused) when reminders have never been recorded here. */
export function refuseWithoutReminders(site: Site): void {
  refuseWithoutLedger(site, 'nobody has been reminded', 'then remind them with: usermgmt email')
}
