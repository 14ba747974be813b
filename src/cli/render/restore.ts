import type { RestoreFailure, RestoreReport } from '../../users/restore/restore-report.ts'
import { archiveEndNote } from './archive-end.ts'
import { block, countBlock, largestFirst } from './blocks.ts'
import { counted } from './numbers.ts'
import { plainJson, plainText } from './plain-text.ts'
import { stopRecord } from './stop-record.ts'
import type { Style } from './style.ts'

/** Returns what has been put back, for people; `planned`: what would be. */
export function restoreText(report: RestoreReport, planned: boolean, style: Style): string {
  const rows = Object.values(report.restored).reduce((sum, number) => sum + number, 0)
  const note = archiveEndNote(report)
  const lines = [
    style.heading(`${counted(rows, 'row')} ${planned ? 'to put back' : 'put back'}`),
    ...(report.skipped > 0 ? [`${counted(report.skipped, 'row')} there already`] : []),
    ...(note === undefined ? [] : [note]),
    ...countBlock('Rows', largestFirst(report.restored), style),
    ...countBlock('References', largestFirst(report.relinked), style),
    ...block(style.warning('Not put back as before'), report.failed.map(failureLine), style),
    ...block(
      'To know',
      report.notes.map(({ user, note }) => plainText(`user ${user}: ${note}`)),
      style,
    ),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** Returns the report as one JSON object. */
export function restoreJson(report: RestoreReport): string {
  const { restored, relinked, skipped, failed, notes, batches, end, interrupted } = report
  const stopped = stopRecord(interrupted && 'interrupted')
  return `${plainJson({ restored, relinked, skipped, failed, notes, batches, end, stopped })}\n`
}

function failureLine({ user, table, reason }: RestoreFailure): string {
  const where = [user === undefined ? '' : `user ${user}`, table].filter(Boolean)
  return plainText([...where, reason].join(': '))
}
