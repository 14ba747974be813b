import { dateOf } from '../../src/django/datetime.ts'
import type { Clock } from '../../src/mail/clock.ts'

export const NOW = '2025-06-15T12:00:00Z'

/** Returns a clock on which time passes only while somebody sleeps, and then at once. */
export function testClock(start = NOW): Clock & { readonly slept: readonly number[] } {
  const slept: number[] = []
  let now = dateOf(start).getTime()
  return {
    slept,
    now: () => new Date(now),
    async sleep(milliseconds) {
      slept.push(milliseconds)
      const until = now + milliseconds
      // Whatever else is under way goes on meanwhile.
      await new Promise((resolve) => setImmediate(resolve))
      now = Math.max(now, until)
    },
  }
}
