import type { Settings } from '../config/settings.ts'
import { invalid } from '../errors.ts'
import type { DeletionDate } from '../mail/prepare.ts'
import type { ReminderRules } from '../mail/reminder-rules.ts'
import type { Criteria } from '../users/criteria.ts'
import type { WallClock } from '../values/dates.ts'
import type { CommandContext } from './command-context.ts'
import type { EmailOptions } from './commands/email.ts'
import { clockOf, criteriaFrom } from './criteria.ts'
import { type MailSource, mailSourceFrom } from './mail-settings.ts'
import { reminderRules } from './mailing.ts'
import { policyDeletionDate } from './policy.ts'

/** Everything about one campaign that its steps share. */
export interface MailRequest {
  readonly context: CommandContext
  readonly options: EmailOptions
  readonly criteria: Criteria
  readonly clock: WallClock
  readonly source: MailSource
  readonly rules: ReminderRules
  /** The date that the policy sets, for the mail to name. */
  readonly deletionDate: DeletionDate | undefined
}

/** Returns what the options and the settings ask for. Throws a UserError (invalid) when they do not go together. */
export async function mailRequestFrom(
  context: CommandContext,
  options: EmailOptions,
  settings: Settings,
): Promise<MailRequest> {
  if (options.html !== undefined && options.preview === undefined) {
    throw invalid('--html is for the mail that --preview shows')
  }
  if (options.format === 'json' && options.preview !== undefined) {
    throw invalid('--preview shows a mail as text: it does not go with --format json')
  }
  const clock = clockOf(options, settings.configured, context)
  const source = await mailSourceFrom(options, settings, context)
  const rules = reminderRules(source, clock, options.retryUncertain)
  const criteria = await criteriaFrom(options, settings.configured, context)
  const deletionDate = policyDeletionDate(settings.configured.policy, clock)
  return { context, options, criteria, clock, source, rules, deletionDate }
}

/** Returns what decides how users are judged for it. */
export function planOptions({ deletionDate }: MailRequest) {
  return { namesDate: deletionDate !== undefined }
}
