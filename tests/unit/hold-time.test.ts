import { expect, test } from 'vitest'
import { HoldTime } from '../../src/users/purge/hold-time.ts'

/** Returns in which batches so many users go, when nothing else is measured meanwhile. */
function shares(time: HoldTime, users: number): number[] {
  const taken: number[] = []
  for (let left = users; left > 0; ) {
    const share = time.shareOf(left)
    taken.push(share)
    left -= share
  }
  return taken
}

/** As after a batch with so much for each user. */
function after(millisecondsPerUser: number): HoldTime {
  const time = new HoldTime()
  time.measured(100, 100 * millisecondsPerUser)
  return time
}

test('few users go at once until it is known how long they take, and while they take long', () => {
  expect(shares(new HoldTime(), 1_500)).toEqual([500, 500, 500])
  expect(shares(after(10), 1_500)).toEqual([500, 500, 500])
})

test('as many go at once as take 0.4 seconds, but no more than 2,000', () => {
  expect(shares(after(0.4), 2_000)).toEqual([1_000, 1_000])
  const time = after(0.001)
  expect(shares(time, 6_000)).toEqual([2_000, 2_000, 2_000])
  time.measured(2_000, 2_000)
  expect(time.shareOf(2_000)).toBe(500)
})

test('what is left over is spread over all batches', () => {
  expect(shares(after(0.4), 1_001)).toEqual([501, 500])
  expect(shares(new HoldTime(), 3)).toEqual([3])
})

test('a batch that has deleted nobody tells nothing', () => {
  const time = after(0.4)
  time.measured(0, 10_000)
  expect(time.shareOf(1_000)).toBe(1_000)
})
