import type { SQL } from 'drizzle-orm'
import { retrying } from '../db/retrying.ts'
import { type Instant, instantOf } from '../django/datetime.ts'
import { inTransaction, type Site } from '../site/site.ts'
import type { Candidates } from '../users/candidates.ts'
import { lockUsers } from '../users/lock-users.ts'
import { type Checked, recheck } from '../users/recheck.ts'
import { type EarlierReminder, earlierReminders } from './earlier-reminders.ts'
import { type Link, type LinkSettings, makeLink } from './link.ts'
import { type Recipient, recipientsAmong } from './recipients.ts'
import { type Beginning, insertReminders } from './reminder-rows.ts'
import { type ReminderRules, type SkipReason, skipReason } from './reminder-rules.ts'
import { isVerifiedElsewhereNow } from './taken-address.ts'

/** A mail that the ledger knows as `sending`. */
export interface Prepared {
  readonly reminderId: string
  readonly checkedAt: Date
  readonly recipient: Recipient
  readonly link: Link
  readonly deletionDate: Instant | null
}

/** Returns when the account of the recipient will be deleted, to be said in the mail. */
export type DeletionDate = (
  recipient: Recipient,
  earlier: readonly EarlierReminder[],
  at: Date,
) => Instant | null

export interface Preparation {
  readonly candidates: Candidates
  /** See `twinKeys`. */
  readonly twins: readonly string[]
  readonly rules: ReminderRules
  readonly runId: string
  readonly links: LinkSettings
  readonly deletionDate?: DeletionDate | undefined
  /** Further work for the same transaction: a commit takes longer than what it commits. */
  readonly alongside?: (here: Site) => Promise<void>
}

export interface PreparedGroup {
  readonly mails: readonly Prepared[]
  /** How many of those who were to be mailed each guard keeps. */
  readonly kept: Checked['kept']
  readonly skipped: readonly SkipReason[]
  /** How many are neither mailed nor among those. */
  readonly changed: number
}

/**
 * Checks the users once more, by what has been committed by now, and writes down that those who are still to be mailed
 * are about to be: all in one transaction, in which nobody can verify or log in. Returns these mails, and why others are
 * not among them.
 */
export async function prepare(
  site: Site,
  keys: readonly string[],
  at: Date,
  preparation: Preparation,
): Promise<PreparedGroup> {
  return retrying(() =>
    inTransaction(site, 'write', async (here) => {
      await preparation.alongside?.(here)
      await lockUsers(here, keys)
      const { unchanged, kept, keptUsers } = await recheck(here, preparation.candidates, batchOf(keys))
      const recipients = await recipientsAmong(here, unchanged, takenNow(preparation))
      const { due, skipped } = await sortOut(here, recipients, at, preparation)
      const changed = keys.length - keptUsers - skipped.length - due.length
      return { mails: await begin(here, due, at, preparation), kept, skipped, changed }
    }),
  )
}

/** Returns whether the mail is still right, when it has had to wait. */
export async function isStillDue(
  site: Site,
  { key, address, addressKey }: Recipient,
  preparation: Pick<Preparation, 'candidates' | 'twins'>,
): Promise<boolean> {
  return inTransaction(site, 'read', async (here) => {
    const { unchanged } = await recheck(here, preparation.candidates, batchOf([key]))
    const [now] = await recipientsAmong(here, unchanged, takenNow(preparation))
    return now?.address === address && now.addressKey === addressKey && !now.taken
  })
}

function takenNow({ twins }: Pick<Preparation, 'twins'>) {
  return (site: Site, email: SQL) => isVerifiedElsewhereNow(site, email, twins)
}

function batchOf(keys: readonly string[]) {
  return keys.map((key) => ({ key }))
}

async function sortOut(
  site: Site,
  recipients: readonly Recipient[],
  at: Date,
  { rules, runId, deletionDate }: Preparation,
): Promise<{ due: Beginning[]; skipped: SkipReason[] }> {
  const earlierOf = await earlierReminders(site, recipients)
  const addresses = new Set<string>()
  const due: Beginning[] = []
  const skipped: SkipReason[] = []
  for (const recipient of recipients) {
    const { emailSha256 } = recipient
    const earlier = earlierOf(recipient)
    const reason = skipReason(recipient, earlier, rules, runId)
    if (reason) skipped.push(reason)
    // Two accounts of one address: the other one is mailed.
    else if (addresses.has(emailSha256)) skipped.push('reminded')
    else {
      addresses.add(emailSha256)
      due.push({ recipient, deletionDate: deletionDate?.(recipient, earlier, at) ?? null })
    }
  }
  return { due, skipped }
}

async function begin(
  site: Site,
  due: readonly Beginning[],
  at: Date,
  { runId, links }: Preparation,
): Promise<Prepared[]> {
  const ids = await insertReminders(site, runId, due, instantOf(at))
  const mails: Prepared[] = []
  for (const { recipient, deletionDate } of due) {
    const reminderId = ids.get(recipient.key)
    if (reminderId === undefined) throw new Error('a mail without a row in the ledger')
    const link = await makeLink(site, links, recipient.addressKey, at)
    mails.push({ reminderId, checkedAt: at, recipient, link, deletionDate })
  }
  return mails
}
