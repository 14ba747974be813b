import type { Configured, Policy } from '../config/configured.ts'
import { instantOf } from '../django/datetime.ts'
import { invalid } from '../errors.ts'
import { deletionDates } from '../mail/deletion-date.ts'
import type { SweepCriteria } from '../mail/life-steps.ts'
import type { DeletionDate } from '../mail/prepare.ts'
import type { DeletionDue } from '../users/criteria.ts'
import { graceStart, instantAhead, pastInstant, type WallClock } from '../values/dates.ts'
import { counted } from '../values/numbers.ts'
import type { Context } from './context.ts'
import { criteriaFrom } from './criteria.ts'
import { AGAIN_AFTER, EXPIRE_DAYS, MAX_REMINDERS } from './defaults.ts'
import type { Talk } from './talk.ts'

/** Returns the policy of the configuration file. Throws a UserError (invalid) when it has none. */
export function policyOf({ policy }: Configured): Policy {
  if (policy && Object.values(policy).some((value) => value !== undefined)) return policy
  throw invalid(
    'there is no policy to follow',
    'write one into the configuration file: "policy": { "since": "1y", "remind_after": "7d", "delete_after_reminder": "14d" }',
  )
}

/** Returns whom the policy reminds and deletes, now. Whatever else the configuration file says holds for both. */
export async function sweepCriteria(
  policy: Policy,
  configured: Configured,
  context: Context,
  clock: WallClock,
): Promise<SweepCriteria> {
  const { since, remindAfter, deleteAfterReminder, maxReminders = MAX_REMINDERS } = policy
  const candidates = await criteriaFrom(since === undefined ? {} : { since }, configured, context)
  const { selection, guards } = candidates
  const due = deleteAfterReminder === undefined ? undefined : deletionDue(deleteAfterReminder, clock)
  const remind = {
    ...selection,
    deletionDue: due && { ...due, negated: true },
  }
  return {
    candidates,
    remind: { ...candidates, selection: remind },
    remove: due && {
      ...candidates,
      selection: { ...selection, deletionDue: due },
      // The mail has named the date.
      guards: { ...guards, ignoresReminders: true },
    },
    rules: {
      // `0`: as soon as the grace period is over.
      joinedBefore: remindAfter === undefined ? undefined : graceStart(remindAfter, clock),
      remindedAfter: graceStart(policy.remindAgainAfter ?? AGAIN_AFTER, clock),
      maxReminders,
    },
  }
}

/** Returns the date that each mail names, as the policy wants it; undefined when it deletes nobody. */
export function policyDeletionDate(
  policy: Policy | undefined,
  { zone }: WallClock,
): DeletionDate | undefined {
  return policy?.deleteAfterReminder === undefined
    ? undefined
    : deletionDates(policy.deleteAfterReminder, zone)
}

/** Says when reminders that the policy asks for will never be sent. */
export async function warnOfLateReminders(policy: Policy, clock: WallClock, talk: Talk): Promise<void> {
  const { remindAgainAfter, maxReminders, deleteAfterReminder } = policy
  if (deleteAfterReminder === undefined || remindAgainAfter === undefined || maxReminders === 1) return
  if (graceStart(remindAgainAfter, clock) === undefined) return
  if (instantAhead(remindAgainAfter, clock) < instantAhead(deleteAfterReminder, clock)) return
  await talk.say(
    `warning: nobody gets a second reminder: policy.remind_again_after (${remindAgainAfter}) is not less than delete_after_reminder (${deleteAfterReminder})`,
  )
}

/** The link in a mail should not outlive the account. */
export async function warnOfLongLinks(
  { policy, mail }: Configured,
  clock: WallClock,
  talk: Talk,
): Promise<void> {
  const deleteAfterReminder = policy?.deleteAfterReminder
  if (deleteAfterReminder === undefined || mail?.link === 'login') return
  const expires = mail?.expires ?? EXPIRE_DAYS
  if (instantAhead(`${expires}d`, clock) <= instantAhead(deleteAfterReminder, clock)) return
  await talk.say(
    `warning: a link may outlive its account: policy.delete_after_reminder (${deleteAfterReminder}) is less than mail.expires (${counted(expires, 'day')})`,
  )
}

function deletionDue(after: string, clock: WallClock): DeletionDue {
  return { at: instantOf(clock.now), remindedBefore: pastInstant(after, clock) }
}
