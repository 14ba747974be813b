import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Settings } from '../../config/settings.ts'
import { invalid, UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import { keepHeapLean } from '../../lean-heap.ts'
import { type CampaignPlan, type Judged, judgeUser, planCampaign } from '../../mail/campaign-plan.ts'
import { renderReminder } from '../../mail/compose.ts'
import { earlierReminders } from '../../mail/earlier-reminders.ts'
import { sampleLink } from '../../mail/link.ts'
import type { DeletionDate } from '../../mail/prepare.ts'
import { findRecipient, type Recipient } from '../../mail/recipients.ts'
import type { ReminderRules } from '../../mail/reminder-rules.ts'
import type { Site } from '../../site/site.ts'
import type { Criteria } from '../../users/criteria.ts'
import { GUARD_EXPLANATIONS } from '../../users/guards.ts'
import type { WallClock } from '../../values/dates.ts'
import type { CommandContext } from '../command-context.ts'
import type { EmailOptions } from '../commands/email.ts'
import { confirmNumber } from '../confirm.ts'
import { clockOf, criteriaFrom, understood } from '../criteria.ts'
import { type MailSource, mailSourceFrom } from '../mail-settings.ts'
import { checkTransport } from '../mail-transport.ts'
import { type Writing, writingFor } from '../mail-writing.ts'
import { carryOutCampaign, refuseToForget, reminderRules, throwUnlessMailed } from '../mailing.ts'
import { isNoNews } from '../no-news.ts'
import { sayNothingMatches } from '../nothing-matches.ts'
import { styleFor } from '../paint.ts'
import { policyDeletionDate } from '../policy.ts'
import { printReport } from '../print-report.ts'
import { withProgress } from '../progress.ts'
import {
  mailPlanJson,
  mailPlanText,
  mailReportJson,
  mailReportText,
  mailText,
  OPTION_NAMES,
  SKIP_EXPLANATIONS,
} from '../render/mail.ts'
import { warnOfUnmatched } from '../warn-of-unmatched.ts'
import { settingsOf, withSite } from '../with-site.ts'

/** Everything about one campaign that its steps share. */
interface MailRequest {
  readonly context: CommandContext
  readonly options: EmailOptions
  readonly criteria: Criteria
  readonly clock: WallClock
  readonly source: MailSource
  readonly rules: ReminderRules
  /** The date that the policy sets, for the mail to name. */
  readonly deletionDate: DeletionDate | undefined
}

/** Connections to PostgreSQL: for what is checked and written, and for what is read beside it. */
const CONNECTIONS = 2

/** Mails the users that the options select and nothing keeps; with `--dry-run` or `--preview` only shows what. */
export async function emailUnverified(context: CommandContext, options: EmailOptions): Promise<void> {
  keepHeapLean()
  const settings = await settingsOf(context)
  const request = await requestFrom(context, options, settings)
  const isReal = !options.dryRun && options.preview === undefined
  if (isReal) await checkTransport(request.source.transport, context)
  await withSite(
    context,
    async (site) => {
      if (isReal) refuseToForget(site)
      const writing = await writingFor(site, request.source, request.clock)
      if (options.preview !== undefined) await showPreview(site, options.preview, request, writing)
      else await (options.dryRun ? showPlan : carryOut)(site, request, writing)
    },
    { settings, connections: CONNECTIONS },
  )
}

async function requestFrom(
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

async function showPlan(site: Site, request: MailRequest, writing: Writing): Promise<void> {
  const { context, options, criteria, clock } = request
  const { stdout } = context
  const { talk } = context
  const plan = await makePlan(site, request)
  const words = understood(criteria, clock)
  // Also when it is not shown: better now than in the middle of it that a template fails.
  const message = plan.example && (await shownMail(site, request, writing, plan.example))
  if (options.format === 'json') {
    await talk.say(words)
    return stdout.write(mailPlanJson(plan))
  }
  const style = await styleFor(stdout, context)
  await stdout.write(mailPlanText(plan, words, style))
  if (message) await stdout.write(`\n${mailText(message, style)}`)
  if (!site.shape.hasLedger) await talk.say('before mails can be sent: usermgmt migrate makes the ledger')
}

async function carryOut(site: Site, request: MailRequest, writing: Writing): Promise<void> {
  const { context, options, criteria, clock, rules, source, deletionDate } = request
  const plan = await makePlan(site, request)
  const style = await styleFor(context.stderr, context)
  const shown = mailPlanText(plan, understood(criteria, clock), style)
  await context.talk.show(shown)
  if (plan.toMail > 0 && !options.yes) {
    await confirmNumber(context, plan.toMail, {
      does: 'mails',
      done: 'sent',
      where: site.db.identity,
      plan: shown,
    })
  }
  const mailing = {
    context,
    options,
    criteria,
    plan,
    rules,
    source,
    writing,
    deletionDate,
    names: OPTION_NAMES,
  }
  const report = await carryOutCampaign(site, mailing)
  if (isNoNews({ mail: report }, context.globals, options)) return
  const text =
    options.format === 'json'
      ? mailReportJson(report)
      : mailReportText(report, await styleFor(context.stdout, context))
  await printReport(context, text, () => throwUnlessMailed(report))
}

async function makePlan(site: Site, request: MailRequest): Promise<CampaignPlan> {
  const { context, criteria, rules } = request
  await warnOfUnmatched(site, criteria, context)
  const plan = await withProgress(context, 'planning', () =>
    planCampaign(site, criteria, rules, planOptions(request)),
  )
  if (plan.matched === 0) await sayNothingMatches(site, criteria, context.talk)
  return plan
}

function planOptions({ deletionDate }: MailRequest) {
  return { namesDate: deletionDate !== undefined }
}

async function showPreview(site: Site, user: string, request: MailRequest, writing: Writing): Promise<void> {
  const { context, options, criteria, rules } = request
  const { stdout, cwd } = context
  const recipient = await findRecipient(site, user)
  const judged = await judgeUser(site, criteria, rules, planOptions(request), recipient.user.id)
  const mail = await shownMail(site, request, writing, { recipient, hasContent: judged?.hasContent ?? false })
  if (options.html !== undefined) {
    await writeSecretly(resolve(cwd, options.html), mail.html).catch((cause) => {
      throw new UserError(`--html: ${options.html} cannot be written: ${fileReason(cause)}`, { cause })
    })
  }
  await stdout.write(mailText(mail, await styleFor(stdout, context)))
  const reason = whyNot(judged)
  if (reason) await context.talk.say(`would not be sent: ${reason}`)
}

function whyNot(judged: Judged | undefined): string | undefined {
  if (!judged) return 'the user is not selected'
  const { guards, skipped } = judged
  if (guards.length > 0) return `the user ${guards.map((guard) => GUARD_EXPLANATIONS[guard]).join(', and ')}`
  return skipped && SKIP_EXPLANATIONS[skipped](OPTION_NAMES)
}

/** The link in it works: it is for nobody but its owner to read, also when the file was there before. */
async function writeSecretly(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    if ((await file.stat()).isFile()) await file.chmod(0o600)
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

async function shownMail(
  site: Site,
  { context, source, deletionDate }: MailRequest,
  writing: Writing,
  { recipient, hasContent }: { readonly recipient: Recipient; readonly hasContent: boolean },
) {
  const { links, composer } = writing
  const link = sampleLink(site, links, recipient.addressKey, context.now())
  const earlierOf = await earlierReminders(site, [recipient])
  const date = hasContent ? null : deletionDate?.(recipient, earlierOf(recipient), context.now())
  const rendered = renderReminder(composer, { recipient, link, deletionDate: date ?? null })
  return { from: source.from, to: recipient.address, ...rendered }
}
