import { keepHeapLean } from '../../lean-heap.ts'
import { type CampaignPlan, planCampaign } from '../../mail/campaign-plan.ts'
import type { Site } from '../../site/site.ts'
import type { CommandContext } from '../command-context.ts'
import type { EmailOptions } from '../commands/email.ts'
import { confirmNumber } from '../confirm.ts'
import { understood } from '../criteria.ts'
import { shownMail, showPreview } from '../mail-preview.ts'
import { type MailRequest, mailRequestFrom, planOptions } from '../mail-request.ts'
import { checkTransport } from '../mail-transport.ts'
import { type Writing, writingFor } from '../mail-writing.ts'
import { carryOutCampaign, refuseToForget, throwUnlessMailed } from '../mailing.ts'
import { isNoNews } from '../no-news.ts'
import { sayNothingMatches } from '../nothing-matches.ts'
import { styleFor } from '../paint.ts'
import { printReport } from '../print-report.ts'
import { withProgress } from '../progress.ts'
import { refuseWrongClock } from '../refuse-wrong-clock.ts'
import {
  mailPlanJson,
  mailPlanText,
  mailReportJson,
  mailReportText,
  mailText,
  OPTION_NAMES,
} from '../render/mail.ts'
import { warnOfMail } from '../warn-of-mail.ts'
import { warnOfUnmatched } from '../warn-of-unmatched.ts'
import { settingsOf, withSite } from '../with-site.ts'

/** Connections to PostgreSQL: for what is checked and written, and for what is read beside it. */
const CONNECTIONS = 2

/** Mails the users that the options select and nothing keeps; with `--dry-run` or `--preview` only shows what. */
export async function emailUnverified(context: CommandContext, options: EmailOptions): Promise<void> {
  keepHeapLean()
  const settings = await settingsOf(context)
  const request = await mailRequestFrom(context, options, settings)
  const isReal = !options.dryRun && options.preview === undefined
  const check = () => checkTransport(request.source.transport, context)
  if (isReal) await check()
  await withSite(
    context,
    async (site) => {
      await refuseWrongClock(site, context)
      if (isReal) refuseToForget(site)
      const writing = await writingFor(site, request.source, request.clock)
      if (options.preview !== undefined) await showPreview(site, options.preview, request, writing)
      else await (options.dryRun ? showPlan : carryOut)(site, request, writing)
    },
    { settings, connections: CONNECTIONS },
  )
  if (options.dryRun) await warnOfMail(check, context.talk)
}

async function showPlan(site: Site, request: MailRequest, writing: Writing): Promise<void> {
  const { context, options, criteria, clock } = request
  const { stdout, talk } = context
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
  const { context, options, criteria, clock } = request
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
  const report = await carryOutCampaign(site, {
    ...request,
    command: 'email',
    plan,
    writing,
    names: OPTION_NAMES,
  })
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
