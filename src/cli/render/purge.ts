import type { KeepingTable, PurgePlan } from '../../users/purge/plan.ts'
import type { PurgeReport } from '../../users/purge/purge-report.ts'
import { counted } from '../../values/numbers.ts'
import { type DeletionReport, recordedArchive } from '../deletion-report.ts'
import { shellWord } from '../shell-word.ts'
import { block, type CountLine, countBlock, largestFirst, lines, moreLines } from './blocks.ts'
import { keptBlock } from './kept.ts'
import { plainJson, plainText } from './plain-text.ts'
import { shownSeconds } from './progress-line.ts'
import { stopRecord } from './stop-record.ts'
import type { Style } from './style.ts'

const FAILED_SHOWN = 20

export const FOR_GOOD = 'no archive: what is deleted cannot be put back'

/** Returns the plan for people: whom, why not the others, which rows, and what could be changed. */
export function planText(plan: PurgePlan, understood: string, style: Style): string {
  return lines([
    style.heading(`${counted(plan.toDelete, 'user')} to delete, of ${counted(plan.matched, 'candidate')}`),
    plainText(understood),
    ...keptBlock(plan.kept, style, changedLine(plan)),
    ...countBlock(
      'What keeps them (content), and what would change it',
      plan.keeping.map(keepingLine),
      style,
    ),
    ...countBlock('Rows to delete', largestFirst(plan.tables), style),
    ...countBlock('Rows to set to NULL', largestFirst(plan.nulled), style),
    ...block(
      'Triggers: what they change is in no archive',
      plan.triggers.map(({ table, name }) => plainText(`${table}: ${name}`)),
      style,
    ),
    ...block(
      'Look like references to users, but are no foreign keys: they keep nobody',
      plan.looseReferences.length === 0 || plan.toDelete === 0
        ? []
        : [
            ...plan.looseReferences,
            'to keep those users, name the column in the configuration file: references',
          ].map(plainText),
      style,
    ),
    ...block(
      `No index on these references: a purge reads whole tables${howLong(plan.missingIndexes)}. To create them`,
      plan.missingIndexes.map(({ statement }) => plainText(statement)),
      style,
    ),
  ])
}

/** Returns what has been done, for people. */
export function reportText(report: DeletionReport, style: Style): string {
  const { deleted, matched, failed } = report
  return lines([
    style.heading(`${counted(deleted, 'user')} deleted, of ${counted(matched, 'candidate')}`),
    ...keptBlock(report.kept, style, changedLine(report)),
    ...countBlock(
      'Rows deleted',
      largestFirst(report.tables).filter(([rows]) => rows > 0),
      style,
    ),
    ...countBlock('Rows set to NULL', largestFirst(report.nulled), style),
    ...block(style.warning(`Not deleted: ${counted(failed.length, 'user')}`), failedLines(failed), style),
    ...undoLines(report),
  ])
}

/** Returns the plan as one JSON object, with the keys of the report. */
export function planJson(plan: PurgePlan): string {
  const {
    since,
    matched,
    toDelete,
    kept,
    changed,
    tables,
    nulled,
    keeping,
    missingIndexes,
    triggers,
    looseReferences,
  } = plan
  // Only when there is something to do about it.
  const content = keeping.length > 0 ? { keeping: keeping.map(keepingRecord) } : {}
  const missing = missingIndexes.length > 0 ? { missing_indexes: missingIndexes } : {}
  const further = triggers.length > 0 ? { triggers } : {}
  const loose = looseReferences.length > 0 ? { loose_references: looseReferences } : {}
  return `${plainJson({ since, matched, to_delete: toDelete, kept, changed, tables, nulled, failed: [], stopped: null, ...content, ...missing, ...further, ...loose })}\n`
}

/** Returns what has been done as one JSON object. */
export function reportJson(report: DeletionReport): string {
  const { since, matched, deleted, kept, changed, tables, nulled, failed } = report
  const archive = recordedArchive(report)
  const stopped = stopRecord(report.stopped)
  return `${plainJson({ since, matched, deleted, kept, changed, tables, nulled, failed, stopped, archive })}\n`
}

function undoLines({ archive, undo, lostArchive, deleted }: DeletionReport): string[] {
  if (lostArchive !== undefined) return ['', plainText(`the archive is not there any more: ${lostArchive}`)]
  if (archive === undefined) return deleted > 0 ? ['', FOR_GOOD] : []
  return ['', `archive: ${archive}`, `to put everybody back: ${undo}`].map(plainText)
}

function changedLine({ changed }: { readonly changed: number }): CountLine[] {
  return changed > 0 ? [[changed, 'changed', 'since the plan was made']] : []
}

function keepingLine(keeping: KeepingTable): CountLine {
  const { edge, users, options } = keepingRecord(keeping)
  return [users, edge, options.join(', or to delete the rows: ') || 'nothing: no rule can change it']
}

function keepingRecord({ edge, users, column, remedies }: KeepingTable) {
  const word = shellWord(column)
  const options = {
    'set-null': `--set-null ${word}`,
    delete: `--cascade ${word}`,
    undeclare: 'leave it out of references in the configuration file',
  }
  return { edge, users, options: remedies.map((remedy) => options[remedy]) }
}

/** Said when it is worth waiting for an index instead. */
function howLong(missing: PurgePlan['missingIndexes']): string {
  const seconds = missing.reduce((sum, index) => sum + (index.seconds ?? 0), 0)
  return seconds < 10 ? '' : `, which may take about ${shownSeconds(seconds)}`
}

function failedLines(failed: PurgeReport['failed']): string[] {
  const shown = failed.slice(0, FAILED_SHOWN).map(({ id, reason }) => plainText(`${id}: ${reason}`))
  return [...shown, ...moreLines(failed.length - shown.length, ' (--format json has all)')]
}
