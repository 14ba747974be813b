import { wholeSecond } from '../../django/datetime.ts'
import type { RecordedDeletion, RecordedReminder, RecordedRun } from '../../ledger/history.ts'
import { shownNumber } from '../../values/numbers.ts'
import type { Output } from '../output.ts'
import { isCounted } from '../recorded-options.ts'
import { shellWord } from '../shell-word.ts'
import { plainText } from './plain-text.ts'
import { wholeOrScreenTable } from './screen-table.ts'
import type { Style } from './style.ts'

const FIELDS = ['run', 'started', 'command', 'by', 'outcome', 'result'] as const
/** Enough of an id to tell runs apart. */
const SHORT_ID = 8

/** Returns the runs as a table for that output. */
export function runsTable(runs: readonly RecordedRun[], output: Output, style: Style): string {
  const rows = runs.map((run) =>
    [
      run.id.slice(0, SHORT_ID),
      run.startedAt === null ? '-' : wholeSecond(run.startedAt),
      run.command ?? '-',
      actorOf(run),
      run.outcome,
      resultOf(run),
    ].map(plainText),
  )
  return wholeOrScreenTable(rows, FIELDS, output, style)
}

/** Returns all that the ledger has about one run; `hasGone`: its archive is not where it was. */
export function runText(run: RecordedRun, hasGone: boolean, style: Style): string {
  const lines: [string, string][] = [
    ['run', run.id],
    ['command', run.command ?? '-'],
    ['options', shownOptions(run.options)],
    ['by', run.version === null ? actorOf(run) : `${actorOf(run)}, usermgmt ${run.version}`],
    ['started', run.startedAt ?? '-'],
    ['ended', run.endedAt ?? '-'],
    ['outcome', run.outcome],
    ['counts', shown(run.counts)],
    ['archive', `${run.archive ?? '-'}${hasGone ? ' (not there any more)' : ''}`],
  ]
  return lines.map(([name, value]) => `${style.heading(name.padEnd(8))} ${plainText(value)}\n`).join('')
}

/** Returns the run as JSON names things. */
export function runRecord(run: RecordedRun) {
  return {
    run: run.id,
    command: run.command,
    options: jsonOptions(run.options),
    actor: run.actor,
    host: run.host,
    version: run.version,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    outcome: run.outcome,
    counts: run.counts,
    archive: run.archive,
  }
}

/** Returns a deleted user as JSON has it. */
export function deletionRecord({ user, emailSha256, deletedAt }: RecordedDeletion) {
  return { user, email_sha256: emailSha256, deleted_at: deletedAt }
}

/** Returns a reminded user as JSON has it. */
export function reminderRecord(reminder: RecordedReminder) {
  const { user, emailSha256, status, reply, attempts, createdAt } = reminder
  return { user, email_sha256: emailSha256, status, reply, attempts, reminded_at: createdAt }
}

function actorOf({ actor, host }: RecordedRun): string {
  return actor === null ? '-' : `${actor}@${host}`
}

/** `776 deleted, 2 failed`: what was done, without what was only looked at. */
function resultOf({ counts }: RecordedRun): string {
  const done = Object.entries(counts).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'matched',
  )
  const [first, ...rest] = done
  if (!first) return '-'
  const others = rest.filter(([, count]) => count > 0)
  return [first, ...others].map(([name, count]) => `${shownNumber(count)} ${name}`).join(', ')
}

/** What nobody has to type. */
const USUAL = new Map<string, unknown>([
  ['format', 'text'],
  ['password', true],
])

/** As they are typed. */
function shownOptions(options: RecordedRun['options']): string {
  const given = Object.entries(options).filter(([name, value]) => USUAL.get(name) !== value)
  const typed = given.map(([name, value]) => {
    const option = spelled(name, '-')
    if (value === false) return `--no-${option}`
    if (value === true) return `--${option}`
    // Of people the ledger has only the number.
    if (isCounted(name)) return `--${option} … (${value})`
    return [value]
      .flat()
      .map((each) => `--${option} ${shellWord(String(each))}`)
      .join(' ')
  })
  return typed.join(' ') || '-'
}

function jsonOptions(options: RecordedRun['options']) {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [spelled(name, '_'), value]))
}

/** The ledger has options as the program calls them: `siteUrl`. */
function spelled(name: string, hyphen: string): string {
  return name.replace(/[A-Z]/g, (letter) => hyphen + letter.toLowerCase())
}

function shown(record: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(record).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null) return [`${name} ${value}`]
    const details = Object.entries(value).map(([reason, count]) => `${count} ${reason}`)
    return details.length > 0 ? [`${name} (${details.join(', ')})`] : []
  })
  return parts.join(', ') || '-'
}
