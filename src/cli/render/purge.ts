import type { GuardName } from '../../users/criteria.ts'
import { GUARD_EXPLANATIONS } from '../../users/guards.ts'
import type { PurgePlan } from '../../users/plan.ts'
import type { PurgeReport } from '../../users/purge.ts'
import { block, type CountLine, countBlock, largestFirst } from './blocks.ts'
import { counted } from './numbers.ts'
import { plainJson, plainText } from './plain-text.ts'
import type { Style } from './style.ts'

const FAILED_SHOWN = 20

/** Returns the plan for people: whom, why not the others, which rows, and what could be changed. */
export function planText(plan: PurgePlan, understood: string, style: Style): string {
  return lines([
    style.heading(`${counted(plan.toDelete, 'user')} to delete, of ${counted(plan.matched, 'candidate')}`),
    plainText(understood),
    ...keptBlock(plan.kept, style),
    ...countBlock(
      'What keeps them (content), and what would change it',
      plan.keeping.map(keepingLine),
      style,
    ),
    ...countBlock('Rows to delete', largestFirst(plan.tables), style),
    ...countBlock('Rows to set to NULL', largestFirst(plan.nulled), style),
    ...block(
      'No index on these references: a purge reads whole tables. To make them',
      plan.missingIndexes.map(({ statement }) => plainText(statement)),
      style,
    ),
  ])
}

/** Returns what has been done, for people. */
export function reportText(report: PurgeReport, style: Style): string {
  const { deleted, matched, changed, failed } = report
  const changes: CountLine[] =
    changed > 0 ? [[changed, 'changed', 'no longer to delete when their turn came']] : []
  return lines([
    style.heading(`${counted(deleted, 'user')} deleted, of ${counted(matched, 'candidate')}`),
    ...keptBlock(report.kept, style, changes),
    ...countBlock('Rows deleted', largestFirst(report.tables), style),
    ...countBlock('Rows set to NULL', largestFirst(report.nulled), style),
    ...block(style.warning(`Not deleted: ${counted(failed.length, 'user')}`), failedLines(failed), style),
  ])
}

/** Returns the plan as one JSON object, with the keys of the report. */
export function planJson({ since, matched, toDelete, kept, tables, nulled }: PurgePlan): string {
  return `${plainJson({ since, matched, to_delete: toDelete, kept, tables, nulled, failed: [] })}\n`
}

export function reportJson(report: PurgeReport): string {
  const { since, matched, deleted, kept, tables, nulled, failed, archive } = report
  return `${plainJson({ since, matched, deleted, kept, tables, nulled, failed, archive })}\n`
}

function keptBlock(kept: PurgePlan['kept'], style: Style, more: readonly CountLine[] = []): string[] {
  const guards = largestFirst(kept).map(
    ([count, guard]): CountLine => [count, guard, GUARD_EXPLANATIONS[guard as GuardName]],
  )
  const title = guards.length > 1 ? 'Kept (whom two guards keep counts for both)' : 'Kept'
  return countBlock(title, [...guards, ...more], style)
}

function keepingLine({ edge, users, option }: PurgePlan['keeping'][number]): CountLine {
  return [users, edge, option ?? 'nothing: it cannot be empty']
}

function failedLines(failed: PurgeReport['failed']): string[] {
  const shown = failed.slice(0, FAILED_SHOWN).map(({ id, reason }) => plainText(`${id}: ${reason}`))
  const rest = failed.length - shown.length
  return rest > 0 ? [...shown, `and ${counted(rest, 'more', 'more')} (--format json has all)`] : shown
}

function lines(texts: readonly string[]): string {
  return texts.map((line) => `${line}\n`).join('')
}
