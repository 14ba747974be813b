import { type LifeStep, STEPS, type Step } from '../../mail/life-steps.ts'
import type { StepTally } from '../../mail/step-tally.ts'
import { counted } from '../../values/numbers.ts'
import type { Output } from '../output.ts'
import { candidatesIn, type SweepPlan, type SweepReport } from '../sweep-report.ts'
import { block, blockWidth, type CountLine, countBlock, lines, moreLines } from './blocks.ts'
import { mailPlanBlocks, mailPlanJson, mailReportBlocks, mailReportJson, type SettingNames } from './mail.ts'
import { plainJson, plainText } from './plain-text.ts'
import { planJson, planText, reportJson, reportText } from './purge.ts'
import { wholeOrScreenTable } from './screen-table.ts'
import type { Style } from './style.ts'

export const POLICY_NAMES: SettingNames = {
  maxReminders: 'policy.max_reminders',
  againAfter: 'policy.remind_again_after',
  maxFailures: 'mail.max_failures',
}

const EXPLANATIONS: Record<Step, string> = {
  new: 'joined too lately to be reminded',
  remind: 'due for a reminder',
  waiting: 'reminded; neither another mail nor a deletion is due',
  delete: 'reminded; the date in the mail has come',
  stuck: 'no mail will go to them: nobody of these is deleted',
  kept: 'a guard keeps them',
}

const FIELDS = ['id', 'username', 'email', 'step', 'deletion'] as const

/** Returns who is at which step, for people who read it on that output. */
export function stepsText(tally: StepTally, understood: string, output: Output, style: Style): string {
  const counts = STEPS.map((step): CountLine => [tally.of(step), step, EXPLANATIONS[step]])
  const total = counts.reduce((sum, [count]) => sum + count, 0)
  const users = tally.shown()
  const table = wholeOrScreenTable(users.map(cells), FIELDS, blockWidth(output), style).trimEnd().split('\n')
  const more = moreLines(total - users.length, ' (--format ndjson has all)')
  return lines([
    planHeading({ remind: tally.of('remind'), remove: tally.of('delete'), total }, style),
    plainText(understood),
    ...countBlock(
      'Steps',
      counts.filter(([count]) => count > 0),
      style,
    ),
    ...(users.length > 0 ? block('Who', [...table, ...more], style) : []),
  ])
}

/** Returns one candidate as a line of JSON. */
export function stepLine({ id, username, email, step, because, deletionDate }: LifeStep): string {
  return `${plainJson({ id, username, email, step, because, deletion_date: deletionDate })}\n`
}

/** Returns what a sweep is about to do, for people. */
export function sweepPlanText({ mail, deletion }: SweepPlan, understood: string, style: Style): string {
  const counts = { remind: mail.toMail, remove: deletion?.toDelete ?? 0 }
  const reminders = lines([
    planHeading({ ...counts, total: candidatesIn({ mail, deletion }) }, style),
    plainText(understood),
    ...mailPlanBlocks(mail, style, POLICY_NAMES),
  ])
  return deletion?.matched ? `${reminders}\n${planText(deletion, DUE, style)}` : reminders
}

const DUE = 'reminded, and the date in the mail has come'

function planHeading(
  { remind, remove, total }: { remind: number; remove: number; total: number },
  style: Style,
): string {
  return style.heading(
    `${counted(remind, 'user')} to remind, ${counted(remove, 'user')} to delete, of ${counted(total, 'candidate')}`,
  )
}

/** Returns what a sweep has done, for people. */
export function sweepText({ mail, deletion, candidates }: SweepReport, style: Style): string {
  const done = [`${counted(mail.sent, 'user')} reminded`]
  if (deletion) done.push(`${counted(deletion.deleted, 'user')} deleted`)
  const reminders = lines([
    style.heading(`${done.join(', ')}, of ${counted(candidates, 'candidate')}`),
    ...mailReportBlocks(mail, style, POLICY_NAMES),
  ])
  return deletion?.matched ? `${reminders}\n${reportText(deletion, style)}` : reminders
}

/** Returns the plan and the steps as one JSON object in a line. */
export function sweepPlanJson({ mail, deletion }: SweepPlan, tally: StepTally): string {
  return jsonLine({
    steps: plainJson(tally.record()),
    reminders: mailPlanJson(mail),
    deletions: deletion ? planJson(deletion) : 'null',
  })
}

/** Returns the report as one JSON object in a line. */
export function sweepJson({ mail, deletion }: SweepReport): string {
  return jsonLine({
    reminders: mailReportJson(mail),
    deletions: deletion ? reportJson(deletion) : 'null',
  })
}

/** The values are JSON already. */
function jsonLine(parts: Record<string, string>): string {
  return `{${Object.entries(parts)
    .map(([name, value]) => `"${name}":${value.trimEnd()}`)
    .join(',')}}\n`
}

function cells({ id, username, email, step, because, deletionDate }: LifeStep): string[] {
  const why = because.length > 0 && step !== 'waiting' ? `${step}: ${because.join(', ')}` : step
  return [id, username ?? '-', email ?? '-', why, deletionDate ?? '-'].map(plainText)
}
