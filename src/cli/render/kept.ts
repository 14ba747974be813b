import type { GuardName } from '../../users/criteria.ts'
import { GUARD_EXPLANATIONS } from '../../users/guards.ts'
import type { KeptCounts } from '../../users/kept-counts.ts'
import { type CountLine, countBlock, largestFirst } from './blocks.ts'
import type { Style } from './style.ts'

/** Returns the lines of how many each guard keeps, with more such lines under them. */
export function keptBlock(kept: KeptCounts, style: Style, more: readonly CountLine[] = []): string[] {
  const guards = largestFirst(kept).map(
    ([count, guard]): CountLine => [count, guard, GUARD_EXPLANATIONS[guard as GuardName]],
  )
  const title = guards.length > 1 ? 'Kept (whom two guards keep counts for both)' : 'Kept'
  return countBlock(title, [...guards, ...more], style)
}
