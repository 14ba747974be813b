import type { GuardName } from '../../users/criteria.ts'
import type { ListRequest, Tally } from '../../users/list.ts'
import { counted, shownNumber } from './numbers.ts'

/** Returns the split by guard: `1,234 candidates: 1,100 can be deleted; kept: 90 recent, 44 content`. */
export function tallyText({ matched, deletable, kept }: Tally): string {
  const guards = (Object.entries(kept) as [GuardName, number][])
    .filter(([, users]) => users > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([guard, users]) => `${shownNumber(users)} ${guard}`)
  const split = guards.length === 0 ? '' : `; kept: ${guards.join(', ')}`
  return `${counted(matched, 'candidate')}: ${shownNumber(deletable)} can be deleted${split}`
}

/** Returns how many of the candidates a list shows. */
export function countShown({ matched, deletable }: Tally, show: ListRequest['show']): number {
  return { all: matched, deletable, kept: matched - deletable }[show]
}
