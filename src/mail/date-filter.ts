import { tzOffset } from '@date-fns/tz'
import type { Liquid } from 'liquidjs'

const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/
/** The same few dates are in all mails of an hour; those of their users differ. */
const REMEMBERED = 1_000

/**
 * Lets the filter `date` be as it is, and quicker: its own way to a time zone builds three formatters for each date, which
 * takes longer than everything else about a mail.
 */
export function quickenDates(liquid: Liquid, zone: string): void {
  const { date } = liquid.filters
  if (typeof date !== 'function') throw new Error('LiquidJS has no filter date')
  const known = new Map<string, unknown>()
  liquid.registerFilter('date', function (value: unknown, format?: unknown, ...rest: unknown[]) {
    const isPlain = typeof value === 'string' && INSTANT.test(value) && rest.length === 0
    // For a number of minutes it knows no name of the zone.
    if (!isPlain || String(format).includes('%Z')) return date.call(this, value, format, ...rest)
    const key = `${value} ${format}`
    const found = known.get(key)
    if (found !== undefined) return found
    const shown = date.call(this, value, format, -tzOffset(zone, new Date(value)))
    if (known.size === REMEMBERED) known.clear()
    known.set(key, shown)
    return shown
  })
}
