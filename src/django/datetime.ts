/**
 * A point in time as the tool carries it: ISO 8601 in UTC with as many fractional digits as the database
 * holds (none or six). A JavaScript Date would lose the microseconds that Django writes.
 */
export type Instant = string

const PARTS =
  /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?$/

/** Returns the instant of a Date, which has milliseconds at best. */
export function instantOf(date: Date): Instant {
  return date
    .toISOString()
    .replace(/\.000Z$/, 'Z')
    .replace(/(\.\d{3})Z$/, '$1000Z')
}

/** Returns the instant without its fraction of a second: where people read it, that would be noise. */
export function wholeSecond(instant: Instant): Instant {
  return instant.replace(/\.\d+Z$/, 'Z')
}

/** Returns the Date of an instant, cut to milliseconds. */
export function dateOf(instant: Instant): Date {
  return new Date(instant.replace(/(\.\d{3})\d+Z$/, '$1Z'))
}

/**
 * Reads a timestamp in the text form of SQLite (Django: `YYYY-MM-DD HH:MM:SS[.ffffff]`, UTC) or PostgreSQL
 * (`…+02` in whatever zone the session has). Returns the text unchanged when it is none of these
 * ('infinity', or garbage that SQLite let in), so that nothing is hidden from the reader.
 */
export function instantFromText(text: string): Instant {
  const match = PARTS.exec(text)
  if (!match) return text
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match
  const micros = fraction.padEnd(6, '0')
  const suffix = micros === '000000' ? 'Z' : `.${micros}Z`
  if (zone === 'Z' || /^[+-]00(:?00)*$/.test(zone))
    return `${year}-${month}-${day}T${hour}:${minute}:${second}${suffix}`
  const utc = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  return new Date(utc - offsetSeconds(zone) * 1000).toISOString().replace(/\.000Z$/, suffix)
}

function offsetSeconds(zone: string): number {
  const [hours = '0', minutes = '0', seconds = '0'] = zone.slice(1).match(/\d{2}/g) ?? []
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return zone.startsWith('-') ? -size : size
}

/**
 * Returns the text that Django writes on SQLite: no fraction when it is zero, else six digits. Text compares
 * rightly only in this one form (django/db/backends/sqlite3/operations.py, adapt_datetimefield_value).
 */
export function djangoText(instant: Instant): string {
  return instantFromText(instant).replace('T', ' ').replace(/Z$/, '')
}
