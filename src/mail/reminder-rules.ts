import { dateOf, type Instant } from '../django/datetime.ts'
import { MAY_HAVE_ARRIVED } from '../site/ledger.ts'
import type { EarlierReminder } from './earlier-reminders.ts'
import { isMailable } from './mailbox.ts'
import type { Recipient } from './recipients.ts'

/** Who is left alone, for what the tool has sent before. */
export interface ReminderRules {
  /** Whoever did not join before this. */
  readonly joinedBefore?: Instant | undefined
  /** Whoever was reminded after this; nobody when undefined. */
  readonly remindedAfter?: Instant | undefined
  /** Whoever was reminded so often at the present address; whoever was deleted and put back starts anew. */
  readonly maxReminders: number
  /** False: whoever may have got a mail that was cut off is left alone. */
  readonly retryUncertain?: boolean | undefined
}

/** Why a candidate whom no guard keeps is not mailed, the first one that holds. */
export type SkipReason =
  | 'new'
  | 'taken'
  | 'unmailable'
  | 'bounced'
  | 'uncertain'
  | 'enough'
  | 'reminded'
  | 'failing'

/** So many failures in a row are not the server's bad day: others are to have their turn. */
export const FAILURES = 3

/** Returns why the recipient is not mailed, or undefined. `earlier`: to the user or to the address, the oldest first. */
export function skipReason(
  { key, taken, address, emailSha256, user }: Recipient,
  earlier: readonly EarlierReminder[],
  rules: ReminderRules,
  runId?: string,
): SkipReason | undefined {
  const cutOff = (reminder: EarlierReminder) => reminder.status === 'sending' && reminder.runId !== runId
  const mayHaveArrived = ({ status }: EarlierReminder) => MAY_HAVE_ARRIVED.includes(status)
  const here = earlier.filter((each) => each.emailSha256 === emailSha256)
  const last = here.at(-1)
  // Those of another account remain: the mailbox got them.
  const counting = here.filter((each) => mayHaveArrived(each) && !(each.isSpent && each.userKey === key))
  const lately = earlier.filter((each) => mayHaveArrived(each) && !(rules.retryUncertain && cutOff(each)))
  if (isNew(user.date_joined, rules.joinedBefore)) return 'new'
  if (taken) return 'taken'
  if (!isMailable(address)) return 'unmailable'
  if (here.some(({ status }) => status === 'bounced')) return 'bounced'
  if (last && cutOff(last) && !rules.retryUncertain) return 'uncertain'
  if (counting.length >= rules.maxReminders) return 'enough'
  if (lately.some(({ createdAt, runId: by }) => by === runId || isAfter(createdAt, rules.remindedAfter)))
    return 'reminded'
  const lastOnes = here.slice(-FAILURES)
  if (lastOnes.length === FAILURES && lastOnes.every(({ status }) => status === 'failed')) {
    if (lastOnes.some(({ createdAt }) => isAfter(createdAt, rules.remindedAfter))) return 'failing'
  }
  return undefined
}

/** Who joined at a time that nobody can read may have joined yesterday. */
function isNew(joined: Instant | null, before: Instant | undefined): boolean {
  return before !== undefined && !(joined !== null && dateOf(joined) < dateOf(before))
}

function isAfter(instant: Instant, start: Instant | undefined): boolean {
  return start !== undefined && dateOf(instant) > dateOf(start)
}
