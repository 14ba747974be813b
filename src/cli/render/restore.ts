import type { Trigger } from '../../db/dialect.ts'
import type { Shortfall } from '../../users/archive/shortfall.ts'
import { type RestoreFailure, type RestoreReport, rowsPutBack } from '../../users/restore/restore-report.ts'
import { counted, shownNumber } from '../../values/numbers.ts'
import { archiveEndNote } from './archive-end.ts'
import { block, countBlock, largestFirst, lines } from './blocks.ts'
import { plainJson, plainText } from './plain-text.ts'
import { stopRecord } from './stop-record.ts'
import type { Style } from './style.ts'

/** They are as they were, and so is what selects them. */
const AGAIN =
  'the next purge that selects them deletes them again, unless they are protected; a sweep reminds them first'

/** What there is to say of a restoration beside its report. */
export interface AroundRestore {
  /** What the archive lacks, by the ledger. */
  readonly shortfall: Shortfall | undefined
  /** On the tables that were written. */
  readonly triggers: readonly Trigger[]
}

/** Returns what has been put back, for people; `planned`: what would be. */
export function restoreText(
  report: RestoreReport,
  { shortfall, triggers }: AroundRestore,
  planned: boolean,
  style: Style,
): string {
  const rows = rowsPutBack(report)
  // That it was cut is an error, and told as one.
  const note = shortfall ? undefined : archiveEndNote(report)
  const told = [
    style.heading(`${counted(rows, 'row')} ${planned ? 'to put back' : 'put back'}`),
    ...(report.skipped > 0 ? [skippedLine(report)] : []),
    ...(note === undefined ? [] : [note]),
    ...countBlock('Rows', largestFirst(report.restored), style),
    ...countBlock('References', largestFirst(report.relinked), style),
    ...block(style.warning('Not put back as before'), report.failed.map(failureLine), style),
    ...block(
      'To know',
      report.notes.map(({ user, note }) => plainText(`user ${user}: ${note}`)),
      style,
    ),
    ...block(
      'Triggers: what they change or add is not as in the archive',
      triggers.map(({ table, name }) => plainText(`${table}: ${name}`)),
      style,
    ),
    ...(rows > 0 && !planned ? ['', AGAIN] : []),
  ]
  return lines(told)
}

/** Returns the report as one JSON object. */
export function restoreJson(report: RestoreReport, { shortfall, triggers }: AroundRestore): string {
  const { restored, relinked, skipped, changed, failed, notes, batches, end } = report
  const stopped = stopRecord(report.stopped)
  const record = {
    restored,
    relinked,
    skipped,
    changed,
    failed,
    notes,
    batches,
    end,
    missing: shortfall ?? null,
    stopped,
    ...(triggers.length > 0 ? { triggers } : {}),
  }
  return `${plainJson(record)}\n`
}

function skippedLine({ skipped, changed }: RestoreReport): string {
  const there = `${counted(skipped, 'row')} there already`
  return changed === 0 ? there : `${there}, ${shownNumber(changed)} of them not as in the archive`
}

function failureLine({ user, table, reason }: RestoreFailure): string {
  const where = [user === undefined ? '' : `user ${user}`, table].filter(Boolean)
  return plainText([...where, reason].join(': '))
}
