import { UserError } from '../errors.ts'
import { outcomeOf, type RunEnd } from '../ledger/run.ts'
import { type CampaignSettings, runCampaign } from '../mail/campaign.ts'
import type { CampaignPlan } from '../mail/campaign-plan.ts'
import type { CampaignReport } from '../mail/campaign-report.ts'
import { sleep } from '../mail/clock.ts'
import type { Composer } from '../mail/compose.ts'
import { checkedLinks, type LinkSettings } from '../mail/link.ts'
import { type LinkTemplate, linkTemplateFrom } from '../mail/link-template.ts'
import type { ReminderRules } from '../mail/reminder-rules.ts'
import { reminderRenderer } from '../mail/reminder-templates.ts'
import { type SiteFacts, siteFacts } from '../mail/site-facts.ts'
import { refuseWithoutLedger, type Site } from '../site/site.ts'
import type { Criteria } from '../users/criteria.ts'
import { graceStart, type WallClock } from '../values/dates.ts'
import { counted } from '../values/numbers.ts'
import { withOptionName } from '../values/readers.ts'
import type { CommandContext } from './command-context.ts'
import { AGAIN_AFTER, CONCURRENCY, EXPIRE_DAYS, MAX_REMINDERS, RATE } from './defaults.ts'
import { Interrupted } from './interrupted.ts'
import type { LinkSource, MailSource } from './mail-settings.ts'
import { withTransport } from './mail-transport.ts'
import { withStoppableProgress } from './progress.ts'
import type { SettingNames } from './render/mail.ts'
import { withRun } from './with-run.ts'

/** How the mails of one site are written. */
export interface Writing {
  readonly links: LinkSettings
  readonly composer: Composer
}

/** What is mailed to whom, and how. */
export interface Mailing {
  readonly context: CommandContext
  /** For the ledger: which command it is (`email`), and its options as given. */
  readonly command?: string
  readonly options: object
  readonly criteria: Criteria
  readonly plan: CampaignPlan
  readonly rules: ReminderRules
  readonly source: MailSource
  readonly writing: Writing
  readonly deletionDate?: CampaignSettings['deletionDate']
  readonly names: SettingNames
}

/** Returns how mails to users of the site are written. Throws a UserError when a template or the site's place is wrong. */
export async function writingFor(site: Site, source: MailSource, { zone }: WallClock): Promise<Writing> {
  const { links, facts } = await linksFor(site, source)
  const render = await reminderRenderer(source.templates, zone)
  return { links, composer: { render, sender: source, facts, linkConfirms: links.kind !== 'login' } }
}

/** Returns how links for users of the site are made. Throws a UserError when nobody says where the site is. */
export async function linksFor(
  site: Site,
  source: LinkSource & { readonly siteName?: string | undefined },
): Promise<{ links: LinkSettings; facts: SiteFacts }> {
  const { linkTemplate, siteUrl, siteName } = source
  // Whoever gives the link need not give the site as well.
  const url = siteUrl ?? (linkTemplate && new URL('/', linkTemplate.fill('key')))
  const facts = await siteFacts(site, { url, name: siteName })
  const template = linkTemplate ?? usualTemplate(facts.url, source)
  return { links: checkedLinks(linkSettings(template, source), site), facts }
}

function usualTemplate({ href }: URL, { link }: LinkSource): LinkTemplate {
  return linkTemplateFrom(`${href}accounts/${link === 'login' ? 'login/' : 'confirm-email/{key}/'}`)
}

function linkSettings(template: LinkTemplate, source: LinkSource): LinkSettings {
  const { link, confirmation, secret = '', salt, expires: days = EXPIRE_DAYS } = source
  if (link === 'login') return { kind: 'login', template }
  if (confirmation === 'database') return { kind: 'database', template, days }
  return { kind: 'hmac', template, days, secret, salt }
}

/** Returns whom the settings leave alone. Throws a UserError that names the option. */
export function reminderRules(
  { againAfter = AGAIN_AFTER, maxReminders = MAX_REMINDERS }: MailSource,
  clock: WallClock,
  retryUncertain = false,
): ReminderRules {
  const remindedAfter = withOptionName('--again-after', () => graceStart(againAfter, clock))
  return { remindedAfter, maxReminders, retryUncertain }
}

/** Throws a UserError when the site has no ledger: without one nobody could be kept from being mailed again. */
export function refuseToForget(site: Site): void {
  refuseWithoutLedger(site, 'who has been mailed could not be remembered')
}

/** Mails the users of the plan: recorded in the ledger, one campaign at a time, stoppable by Ctrl-C. */
export async function carryOutCampaign(site: Site, mailing: Mailing): Promise<CampaignReport> {
  refuseToForget(site)
  const { context, command = 'email', options, plan, source } = mailing
  if (plan.toMail === 0) return nobodyMailed(plan)
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
export function throwWhenNotAllMailed({ sent, failed, uncertain, stopped }: CampaignReport): void {
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

function nobodyMailed({ since, matched, kept, skipped }: CampaignPlan): CampaignReport {
  const counts = { sent: 0, bounced: 0, failed: 0, uncertain: 0, changed: 0 }
  return { since, matched, ...counts, kept, skipped, problems: [] }
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
