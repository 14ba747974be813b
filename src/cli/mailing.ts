import { UserError } from '../errors.ts'
import { outcomeOf, type RunEnd } from '../ledger/run.ts'
import { type CampaignSettings, runCampaign } from '../mail/campaign.ts'
import type { CampaignPlan } from '../mail/campaign-plan.ts'
import { type CampaignReport, CampaignTally } from '../mail/campaign-report.ts'
import { sleep } from '../mail/clock.ts'
import type { ReminderRules } from '../mail/reminder-rules.ts'
import { refuseWithoutLedger, type Site } from '../site/site.ts'
import type { Criteria } from '../users/criteria.ts'
import { graceStart, type WallClock } from '../values/dates.ts'
import { counted } from '../values/numbers.ts'
import { withName } from '../values/readers.ts'
import type { CommandContext } from './command-context.ts'
import { AGAIN_AFTER, CONCURRENCY, MAX_REMINDERS, RATE } from './defaults.ts'
import { Interrupted } from './interrupted.ts'
import type { MailSource } from './mail-settings.ts'
import { withTransport } from './mail-transport.ts'
import type { Writing } from './mail-writing.ts'
import { withStoppableProgress } from './progress.ts'
import type { SettingNames } from './render/mail.ts'
import { withRun } from './with-run.ts'

/** What is mailed to whom, and how. */
export interface Mailing {
  readonly context: CommandContext
  /** For the ledger: which command it is, and its options as given. */
  readonly command: 'email' | 'sweep'
  readonly options: object
  readonly criteria: Criteria
  readonly plan: CampaignPlan
  readonly rules: ReminderRules
  readonly source: MailSource
  readonly writing: Writing
  readonly deletionDate?: CampaignSettings['deletionDate']
  readonly names: SettingNames
}

/** Returns whom the settings leave alone. Throws a UserError that names the option. */
export function reminderRules(
  { againAfter = AGAIN_AFTER, maxReminders = MAX_REMINDERS }: MailSource,
  clock: WallClock,
  retryUncertain = false,
): ReminderRules {
  const remindedAfter = withName('--again-after', () => graceStart(againAfter, clock))
  return { remindedAfter, maxReminders, retryUncertain }
}

/** Throws a UserError when the site has no ledger: without one nobody could be kept from being mailed again. */
export function refuseToForget(site: Site): void {
  refuseWithoutLedger(site, 'who has been mailed could not be remembered')
}

/** Mails the users of the plan: recorded in the ledger, one campaign at a time, stoppable by Ctrl-C. */
export async function carryOutCampaign(site: Site, mailing: Mailing): Promise<CampaignReport> {
  refuseToForget(site)
  const { context, command, options, plan, source } = mailing
  if (plan.toMail === 0) return new CampaignTally(plan).report()
  const { concurrency = CONCURRENCY } = source
  return withTransport(source.transport, concurrency, context, (transport) =>
    withRun(
      context,
      site,
      { command, options, lock: 'campaign' },
      (run) => {
        if (!run) throw new Error('the ledger has gone')
        return sendAll(site, mailing, { run, transport, concurrency })
      },
      endOf,
    ),
  )
}

/** To be called when the report has been printed, so that what has been done is known. */
export function throwUnlessMailed({ sent, failed, uncertain, stopped }: CampaignReport): void {
  if (stopped === 'interrupted') {
    throw new Interrupted(`${counted(sent, 'user')} mailed; run it again to go on`)
  }
  if (stopped) throw stopped.error
  const left = [
    ...(failed > 0 ? [`${counted(failed, 'mail')} failed`] : []),
    ...(uncertain > 0 ? [`${counted(uncertain, 'mail')} may have arrived, or not`] : []),
  ]
  if (left.length > 0) throw new UserError(left.join(', '), { hint: 'the report says why' })
}

async function sendAll(
  site: Site,
  { context, criteria, plan, rules, source, writing, deletionDate, names }: Mailing,
  means: Pick<CampaignSettings, 'run' | 'transport' | 'concurrency'>,
): Promise<CampaignReport> {
  const { rate = RATE, maxFailures } = source
  return withStoppableProgress(
    context,
    { what: 'mailing', stopping: 'the mails at hand' },
    (onProgress, signal) =>
      runCampaign(site, criteria, plan, {
        ...means,
        ...writing,
        rules,
        deletionDate,
        rate: rate === 0 ? undefined : rate,
        failureLimit: { max: maxFailures, setting: names.maxFailures },
        clock: { now: context.now, sleep },
        onProgress,
        signal,
      }),
  )
}

function endOf({
  matched,
  sent,
  bounced,
  failed,
  uncertain,
  changed,
  kept,
  skipped,
  stopped,
}: CampaignReport): RunEnd {
  return {
    outcome: outcomeOf(stopped, failed + uncertain > 0),
    counts: { matched, sent, bounced, failed, uncertain, changed, kept, skipped },
  }
}
