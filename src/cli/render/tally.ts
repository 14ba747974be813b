import type { GuardName } from '../../users/criteria.ts'
import type { ListRequest, Tally } from '../../users/list-pages.ts'
import { counted, shownNumber } from '../../values/numbers.ts'

/** Returns the split by guard: `1,234 candidates: 1,100 can be deleted; kept: 90 recent, 44 content`. */
export function tallyText({ matched, deletable, kept }: Tally): string {
  const guards = (Object.entries(kept) as [GuardName, number][])
    .filter(([, users]) => users > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([guard, users]) => `${shownNumber(users)} ${guard}`)
  const split = guards.length === 0 ? '' : `; kept: ${guards.join(', ')}`
  return `${counted(matched, 'candidate')}: ${shownNumber(deletable)} can be deleted${split}`
}

/** Returns how many users the whole list has; the tally knows no limit. */
export function countListed({ matched, deletable }: Tally, { show, criteria }: ListRequest): number {
  const count = { all: matched, deletable, kept: matched - deletable }[show]
  return Math.min(count, criteria.selection.limit ?? count)
}
