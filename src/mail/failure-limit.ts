import { UserError } from '../errors.ts'
import type { Limit } from '../values/limit.ts'

/** Of those tried, unless somebody says how many. */
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

/**
 * Throws a UserError when more mails have failed than allowed, by number or as a percentage of those tried: going on
 * would only harm the sender's name.
 */
export function checkFailures(
  { tried, failures }: { tried: number; failures: number },
  { max, setting }: FailureLimit,
): void {
  if (failures <= allowed(tried, max)) return
  throw new UserError(`stopped: ${failures} of the ${tried} mails tried failed or bounced`, {
    hint: `see why in the report; whoever has not been mailed is when it is run again (${setting} allows more)`,
  })
}

function allowed(tried: number, max: Limit = { kind: 'percent', percent: FAILED_PERCENT }): number {
  return max.kind === 'number' ? max.count : Math.max(FAILED_FLOOR, Math.floor((tried * max.percent) / 100))
}
