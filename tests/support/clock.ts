import type { Clock } from '../../src/mail/clock.ts'

/** Returns a clock on which time passes only while somebody sleeps, and then at once. */
export function testClock(): Clock & { readonly slept: readonly number[] } {
  const slept: number[] = []
  let now = Date.parse('2025-06-15T12:00:00Z')
  return {
    slept,
    now: () => new Date(now),
    async sleep(milliseconds) {
      slept.push(milliseconds)
      const until = now + milliseconds
      await Promise.resolve()
      now = Math.max(now, until)
    },
  }
}
