import type { MaxFailures } from '../mail/failure-limit.ts'
import { countFrom, invalid } from './readers.ts'

/** Mails in a second, also less than one; 0 for no limit. */
export function rateFrom(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= 10_000) return Number(text)
  throw invalid(`"${text}" is not a number of mails in a second`, 'for example 5, 0.5, or 0 for no limit')
}

/** `20` mails, or `10%` of those tried. */
export function maxFailuresFrom(text: string): MaxFailures {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent === undefined) return { kind: 'mails', count: countFrom(text) }
  if (Number(percent) > 0 && Number(percent) <= 100) return { kind: 'percent', percent: Number(percent) }
  throw invalid(`${text} is not between 0% and 100%`)
}
