import type { CampaignPlan } from '../../mail/campaign-plan.ts'
import type { CampaignReport, FailedMail } from '../../mail/campaign-report.ts'
import type { Mailbox } from '../../mail/mailbox.ts'
import { FAILURES, type SkipReason } from '../../mail/reminder-rules.ts'
import { counted } from '../../values/numbers.ts'
import { block, type CountLine, countBlock, largestFirst, lines, moreLines } from './blocks.ts'
import { keptBlock } from './kept.ts'
import { plainJson, plainText } from './plain-text.ts'
import { stopRecord } from './stop-record.ts'
import type { Style } from './style.ts'

const PROBLEMS_SHOWN = 20

/** What the settings are called where they can be changed. */
export interface SettingNames {
  readonly maxReminders: string
  readonly againAfter: string
  readonly maxFailures: string
}

export const OPTION_NAMES: SettingNames = {
  maxReminders: '--max-reminders',
  againAfter: '--again-after',
  maxFailures: '--max-failures',
}

/** Why nobody is mailed for each reason. */
export const SKIP_EXPLANATIONS: Record<SkipReason, (names: SettingNames) => string> = {
  new: () => 'joined too lately to be reminded',
  taken: () => 'another user has verified the address: here it never can be',
  unmailable: () => 'no mail can be addressed so',
  bounced: () => 'a mail to the address has bounced',
  uncertain: () => 'the last mail was cut off, and may have arrived (email --retry-uncertain)',
  enough: ({ maxReminders }) => `reminded as often as ${maxReminders} allows`,
  reminded: ({ againAfter }) => `reminded within ${againAfter}`,
  failing: ({ againAfter }) =>
    `the last ${FAILURES} mails failed; another one is due when ${againAfter} is over`,
}

/** Returns whom a campaign would mail, for people. */
export function mailPlanText(plan: CampaignPlan, understood: string, style: Style): string {
  return lines([
    style.heading(`${counted(plan.toMail, 'user')} to mail, of ${counted(plan.matched, 'candidate')}`),
    plainText(understood),
    ...mailPlanBlocks(plan, style, OPTION_NAMES),
  ])
}

/** Returns who is not mailed, and why. */
export function mailPlanBlocks({ kept, skipped }: CampaignPlan, style: Style, names: SettingNames): string[] {
  return [...keptBlock(kept, style), ...skippedBlock(skipped, style, names)]
}

/** Returns what has become of a campaign, for people. */
export function mailReportText(report: CampaignReport, style: Style): string {
  const { sent, matched } = report
  return lines([
    style.heading(`${counted(sent, 'user')} mailed, of ${counted(matched, 'candidate')}`),
    ...mailReportBlocks(report, style, OPTION_NAMES),
  ])
}

/** Returns who was not mailed, and which mails were not delivered. */
export function mailReportBlocks(report: CampaignReport, style: Style, names: SettingNames): string[] {
  const { kept, skipped, changed, bounced, failed, uncertain } = report
  const changes: CountLine[] =
    changed > 0 ? [[changed, 'changed', 'no longer to be mailed when their turn came']] : []
  const problems = bounced + failed + uncertain
  return [
    ...keptBlock(kept, style, changes),
    ...skippedBlock(skipped, style, names),
    ...block(
      style.warning(`Not delivered: ${counted(problems, 'mail')}`),
      problemLines(report, problems),
      style,
    ),
  ]
}

/** Returns the plan as one JSON object, with the keys of the report. */
export function mailPlanJson({ since, matched, toMail, kept, skipped }: CampaignPlan): string {
  return `${plainJson({ since, matched, to_mail: toMail, kept, skipped })}\n`
}

/** Returns what a campaign has done as one JSON object. */
export function mailReportJson(report: CampaignReport): string {
  const { since, matched, sent, bounced, failed, uncertain, kept, skipped, changed, problems } = report
  const counts = { since, matched, sent, bounced, failed, uncertain, kept, skipped, changed }
  return `${plainJson({ ...counts, problems, stopped: stopRecord(report.stopped) })}\n`
}

/** A mail to look at. */
export interface ShownMail {
  readonly from: Mailbox
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Returns the mail as it is read. */
export function mailText({ from, to, subject, text }: ShownMail, style: Style): string {
  const sender = from.name === '' ? from.address : `${from.name} <${from.address}>`
  const headers = [`From: ${sender}`, `To: ${to}`, `Subject: ${subject}`].map(plainText)
  return lines([...headers.map(style.heading), '', ...text.trimEnd().split('\n').map(plainText)])
}

function skippedBlock(skipped: CampaignPlan['skipped'], style: Style, names: SettingNames): string[] {
  const reasons = largestFirst(skipped).map(
    ([count, reason]): CountLine => [count, reason, SKIP_EXPLANATIONS[reason as SkipReason](names)],
  )
  return countBlock('Left alone', reasons, style)
}

function problemLines({ problems }: CampaignReport, total: number): string[] {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(problemLine)
  return [...shown, ...moreLines(total - shown.length, ' (history RUN --format ndjson has all)')]
}

function problemLine({ id, status, reply }: FailedMail): string {
  return plainText(`user ${id}: ${status}${reply === '' ? '' : `: ${reply}`}`)
}
