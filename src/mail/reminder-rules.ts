import { dateOf, type Instant } from '../django/datetime.ts'
import { MAY_HAVE_ARRIVED } from '../site/ledger.ts'
import type { EarlierReminder } from './earlier-reminders.ts'
import { isMailable } from './mailbox.ts'
import type { Recipient } from './recipients.ts'

/** Who is left alone, for what the tool has sent before. */
export interface ReminderRules {
  /** Whoever was reminded after this; nobody when undefined. */
  readonly remindedAfter?: Instant | undefined
  /** Whoever was reminded so often. */
  readonly maxReminders: number
  /** False: whoever may have got a mail that was cut off is left alone. */
  readonly retryUncertain?: boolean | undefined
}

/** Why a candidate whom no guard keeps is not mailed, the first one that holds. */
export const SKIP_REASONS = [
  'taken',
  'unmailable',
  'bounced',
  'uncertain',
  'enough',
  'reminded',
  'failing',
] as const
export type SkipReason = (typeof SKIP_REASONS)[number]

/** So many failures in a row are not the server's bad day: others are to have their turn. */
const FAILURES = 3

/** Returns why the recipient is not mailed, or undefined. `earlier`: to the user or to the address, the oldest first. */
export function skipReason(
  { taken, address, emailSha256 }: Recipient,
  earlier: readonly EarlierReminder[],
  rules: ReminderRules,
  runId?: string,
): SkipReason | undefined {
  const cutOff = (reminder: EarlierReminder) => reminder.status === 'sending' && reminder.runId !== runId
  const last = earlier.at(-1)
  const perhapsSent = earlier.filter(({ status }) => MAY_HAVE_ARRIVED.includes(status))
  const lately = perhapsSent.filter((each) => !(rules.retryUncertain && cutOff(each)))
  if (taken) return 'taken'
  if (!isMailable(address)) return 'unmailable'
  if (earlier.some((each) => each.status === 'bounced' && each.emailSha256 === emailSha256)) return 'bounced'
  if (last && cutOff(last) && !rules.retryUncertain) return 'uncertain'
  if (perhapsSent.length >= rules.maxReminders) return 'enough'
  if (lately.some(({ createdAt, runId: by }) => by === runId || isAfter(createdAt, rules.remindedAfter)))
    return 'reminded'
  const lastOnes = earlier.filter((each) => each.emailSha256 === emailSha256).slice(-FAILURES)
  if (lastOnes.length === FAILURES && lastOnes.every(({ status }) => status === 'failed')) {
    if (lastOnes.some(({ createdAt }) => isAfter(createdAt, rules.remindedAfter))) return 'failing'
  }
  return undefined
}

function isAfter(instant: Instant, start: Instant | undefined): boolean {
  return start !== undefined && dateOf(instant) > dateOf(start)
}
