import { UserError } from '../errors.ts'
import { type Limit, limitOf } from '../values/limit.ts'
import { counted, shownNumber } from '../values/numbers.ts'

/** Of those tried so far, unless somebody says how many. */
export const FAILED_PERCENT = 10
/** A percentage of a few mails says nothing. */
export const FAILED_FLOOR = 20

/** How many mails of a campaign may fail. */
export interface FailureLimit {
  /** Undefined for the default. */
  readonly max?: Limit | undefined
  /** What allows more. */
  readonly setting: string
}

export interface Failures {
  readonly tried: number
  readonly failures: number
  /** All mails of the campaign. */
  readonly planned: number
}

/** Throws a UserError when more mails have failed than allowed: going on would only harm the sender's name. */
export function checkFailures(found: Failures, { max, setting }: FailureLimit): void {
  const { tried, failures } = found
  if (failures <= allowed(found, max)) return
  throw new UserError(
    `stopped when ${shownNumber(failures)} of ${counted(tried, 'mail')} had failed or bounced`,
    {
      hint: `see why in the report; run again, it mails those who were not tried or failed, not those who bounced (${setting} allows more)`,
    },
  )
}

/**
 * What the administrator gives counts exactly. Their percentage is one of all mails of the campaign: of those tried, the
 * first failure would be too many. The default has a floor.
 */
function allowed({ tried, planned }: Failures, max: Limit | undefined): number {
  if (max) return limitOf(max, planned)
  return Math.max(limitOf({ kind: 'percent', percent: FAILED_PERCENT }, tried), FAILED_FLOOR)
}
