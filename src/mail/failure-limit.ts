import { UserError } from '../errors.ts'

/** How many mails may fail before a campaign stops: a number, or a percentage of those tried. */
export type MaxFailures =
  | { readonly kind: 'mails'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number }

const DEFAULT: MaxFailures = { kind: 'percent', percent: 10 }
/** A percentage of a few mails says nothing. */
const FLOOR = 20

/** Throws a UserError when more mails have failed than allowed: going on would only harm the sender's name. */
export function checkFailures(
  { tried, failures }: { tried: number; failures: number },
  max: MaxFailures = DEFAULT,
): void {
  const limit = max.kind === 'mails' ? max.count : Math.max(FLOOR, Math.floor((tried * max.percent) / 100))
  if (failures <= limit) return
  throw new UserError(`stopped: ${failures} of the ${tried} mails tried failed or bounced`, {
    hint: 'see why in the report; whoever has not been mailed is when it is run again (--max-failures allows more)',
  })
}
