import { UserError } from '../../errors.ts'
import { type Limit, limitOf } from '../../values/limit.ts'
import { counted, shownNumber } from '../../values/numbers.ts'

/** Of all users, unless somebody says how many. */
export const DELETED_PERCENT = 50
/** On a small site half of the users is quickly reached; so few are not a catastrophe. */
export const DELETED_FLOOR = 100

/**
 * Returns how many users may be deleted; a percentage is one of all. What the administrator gives counts exactly; the
 * default has a floor.
 */
export function deletionLimit(users: number, max: Limit | undefined): number {
  if (max) return limitOf(max, users)
  return Math.max(limitOf({ kind: 'percent', percent: DELETED_PERCENT }, users), DELETED_FLOOR)
}

/**
 * Throws a UserError (refused) when the plan would delete more users than allowed; `setting` is what allows more, before
 * a number.
 */
export function checkBreaker(
  plan: { toDelete: number; users: number },
  max: Limit | undefined,
  setting: string,
): void {
  const limit = deletionLimit(plan.users, max)
  if (plan.toDelete <= limit) return
  throw new UserError(
    `refused: ${shownNumber(plan.toDelete)} of ${counted(plan.users, 'user')} would be deleted, and the limit is ${shownNumber(limit)}`,
    {
      kind: 'refused',
      hint: `see that the selection is right, then allow it with ${setting} ${plan.toDelete}`,
    },
  )
}
