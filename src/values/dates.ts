import { TZDate } from '@date-fns/tz'
import { UTCDateMini } from '@date-fns/utc/date/mini'
import { add, sub } from 'date-fns'
import { dateOf, type Instant, instantFromText, instantOf } from '../django/datetime.ts'
import { invalid } from '../errors.ts'
import { didYouMean } from '../suggest.ts'

/** What the dates and ages of one run are relative to. */
export interface WallClock {
  readonly now: Date
  /** The zone of dates that name none: `UTC`, `Europe/Berlin`. */
  readonly zone: string
}

/** JavaScript takes the year 50 for 1950, and PostgreSQL has no year 0. */
const FIRST_YEAR = 100

const AGE = /^(\d+)(h|d|w|mo|y)$/
const DAY_MILLISECONDS = 86_400_000
const UNITS = { h: 'hours', d: 'days', w: 'weeks', mo: 'months', y: 'years' } as const
const MOMENT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i

/**
 * Returns the instant that a person means by a date (its midnight in the zone), an age (back from now) or an instant.
 * Throws a UserError (invalid) when it cannot be read, does not exist, or lies in the future.
 */
export function pastInstant(text: string, clock: WallClock): Instant {
  const instant = AGE.test(text) ? instantOf(shifted(text, clock, sub)) : momentFrom(text, clock.zone)
  if (dateOf(instant) <= clock.now) return instant
  throw invalid(`${text} lies in the future`)
}

/** Returns where a grace of this age begins; undefined for `0`. Throws a UserError (invalid) when it is no age. */
export function graceStart(text: string, clock: WallClock): Instant | undefined {
  if (/^0(h|d|w|mo|y)?$/.test(text)) return undefined
  return instantOf(shifted(text, clock, sub))
}

/** Returns the age as it is, with a unit also when it is `0`. Throws a UserError (invalid) when it is no age. */
export function ageFrom(text: string): string {
  graceStart(text, { now: new Date(), zone: 'UTC' })
  return text === '0' ? '0d' : text
}

/** Returns the instant so long after now. Throws a UserError (invalid) when the text is no age. */
export function instantAhead(age: string, clock: WallClock): Instant {
  return instantOf(shifted(age, clock, add))
}

/** Returns the zone's own spelling. Throws a UserError (invalid) when there is no such zone. */
export function zoneFrom(text: string): string {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions()
    // Another name is not what somebody would look for in what they read.
    return timeZone === 'UTC' || timeZone.toLowerCase() === text.toLowerCase() ? timeZone : text
  } catch {
    const known = ['UTC', ...Intl.supportedValuesOf('timeZone')]
    throw invalid(
      `there is no time zone "${text}"${didYouMean(text, known)}`,
      'for example UTC, or Europe/Berlin',
    )
  }
}

/** Returns the cut-off as a sentence: `not logged in since 2020-01-01 00:00 UTC (or never)`. */
export function sinceText(cutoff: Instant, zone: string): string {
  return `not logged in since ${shownInstant(cutoff, zone)} (or never)`
}

/** Returns the instant as a person in the zone reads it, and in UTC: the database's own. */
export function shownInstant(instant: Instant, zone: string): string {
  const utc = `${shownMoment(instant)} UTC`
  if (zone === 'UTC') return utc
  const minutes = new TZDate(dateOf(instant), zone).getTimezoneOffset()
  const there = instant.replace(
    /^.{16}/,
    new Date(dateOf(instant).getTime() - minutes * 60_000).toISOString().slice(0, 16),
  )
  return `${shownMoment(there)} ${zone} (${utc})`
}

/** Minutes, unless there is more to show. */
function shownMoment(instant: Instant): string {
  return instant.replace('T', ' ').replace(/(?::00(?:\.0+)?)?Z$/, '')
}

/** Whole seconds: nobody means a fraction of one by an age, and it would only be noise where it is shown. */
function shifted(text: string, { now, zone }: WallClock, shift: typeof add): Date {
  const [, count, unit] = AGE.exec(text) ?? []
  if (count === undefined || unit === undefined) {
    throw invalid(`"${text}" is not an age`, 'for example 36h, 90d, 2w, 6mo or 1y')
  }
  const second = Math.floor(now.getTime() / 1000) * 1000
  const here = zone === 'UTC' ? new UTCDateMini(second) : new TZDate(second, zone)
  const there = shift(here, { [UNITS[unit as keyof typeof UNITS]]: Number(count) })
  if (there.getFullYear() >= FIRST_YEAR && there.getFullYear() <= 9999) return new Date(there.getTime())
  throw invalid(`${text} is too long a time`)
}

function momentFrom(text: string, zone: string): Instant {
  const match = MOMENT.exec(text.trim())
  if (!match) throw unreadable(text)
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', offset] = match
  if (fraction.length > 6) throw invalid(`${text} is finer than a microsecond`)
  const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  if (!exists(wall)) throw invalid(`${text} does not exist`)
  if (Number(year) < FIRST_YEAR) throw invalid(`${text} is too long ago`)
  const found = offset === undefined ? inZone(wall, zone) : new Date(`${wall}${colon(offset)}`)
  if (Number.isNaN(found.getTime()))
    throw invalid(`${text} does not exist`, 'offsets from UTC end with 23:59')
  return withMicroseconds(found, fraction)
}

/** JavaScript rolls 2020-02-30 over into March. */
function exists(wall: string): boolean {
  const date = new Date(`${wall}Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(wall)
}

function inZone(wall: string, zone: string): Date {
  // To load the zones of the world takes longer than all else that a command does to start.
  if (zone === 'UTC') return new Date(`${wall}Z`)
  const [year = 0, month = 1, ...rest] = wall.split(/[-T:]/).map(Number)
  const [day = 1, hour = 0, minute = 0, second = 0] = rest
  const found = new TZDate(year, month - 1, day, hour, minute, second, zone).getTime()
  // When clocks are set back, an hour comes twice: the earlier one selects nobody whom the other would not.
  const before = new TZDate(found - DAY_MILLISECONDS, zone).getTimezoneOffset()
  const earlier = new Date(`${wall}Z`).getTime() + before * 60_000
  const isThere = new TZDate(earlier, zone).getTimezoneOffset() === before
  return new Date(isThere ? Math.min(earlier, found) : found)
}

function colon(offset: string): string {
  return offset.toUpperCase().replace(/^([+-]\d{2}):?(\d{2})$/, '$1:$2')
}

function withMicroseconds(date: Date, fraction: string): Instant {
  return instantFromText(date.toISOString().replace(/\.\d+Z$/, `.${fraction.padEnd(6, '0')}Z`))
}

function unreadable(text: string) {
  const hint = 'a date (2024-01-31), an age (90d, 6mo, 1y) or an instant (2024-01-31T12:00:00Z)'
  return invalid(`"${text}" is not a date or age`, /^\d+m$/.test(text) ? `months are written ${text}o` : hint)
}
