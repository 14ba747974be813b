import { invalid } from '../errors.ts'
import { countFrom } from './readers.ts'

/** How many there may be: a number, or a percentage of something. */
export type Limit =
  | { readonly kind: 'number'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number }

/** Returns the limit of `1000`, or `10%`. Throws a UserError (invalid). */
export function limitFrom(text: string): Limit {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent === undefined) return { kind: 'number', count: countFrom(text) }
  if (Number(percent) > 0 && Number(percent) <= 100) return { kind: 'percent', percent: Number(percent) }
  throw invalid(`${text} is not between 0% and 100%`)
}

/** Returns the limit as `limitFrom` reads it. */
export function limitText(limit: Limit): string {
  return limit.kind === 'number' ? String(limit.count) : `${limit.percent}%`
}
