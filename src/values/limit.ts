import { invalid } from '../errors.ts'
import { countFrom } from './readers.ts'

/** How many there may be: a number, or a percentage of something. */
export type Limit =
  | { readonly kind: 'number'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number }

/** Returns the limit of `1000`, or `10%`. Throws a UserError (invalid). */
export function limitFrom(text: string): Limit {
  const percent = Number(/^(\d{1,3}(?:\.\d+)?)%$/.exec(text)?.[1])
  if (percent > 0 && percent <= 100) return { kind: 'percent', percent }
  if (/^\d+$/.test(text)) return { kind: 'number', count: countFrom(text) }
  throw invalid(`"${text}" is neither a whole number above 0 nor a percentage up to 100%`)
}

/** Returns how many of `total` the limit allows. */
export function limitOf(limit: Limit, total: number): number {
  return limit.kind === 'number' ? limit.count : Math.floor((total * limit.percent) / 100)
}

/** Returns the limit as `limitFrom` reads it. */
export function limitText(limit: Limit): string {
  return limit.kind === 'number' ? String(limit.count) : `${limit.percent}%`
}
