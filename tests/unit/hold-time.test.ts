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

/** As after batches with so much for each user. */
function after(...millisecondsPerUser: number[]): HoldTime {
  const time = new HoldTime()
  for (const each of millisecondsPerUser) time.measured(100, 100 * each)
  return time
}

test('few users go at once until it is known how long they take, and while they take long', () => {
  expect(shares(new HoldTime(), 1_500)).toEqual([500, 500, 500])
  expect(shares(after(10, 10), 1_500)).toEqual([500, 500, 500])
})

test('as many go at once as take 0.4 seconds, but no more than 1,500', () => {
  expect(shares(after(0.5, 0.5), 3_200)).toEqual([800, 800, 800, 800])
  expect(shares(after(0.001, 0.001), 4_500)).toEqual([1_500, 1_500, 1_500])
})

test('one batch that was quick is not believed yet, one that was slow is', () => {
  expect(after(10, 0.001).shareOf(1_000)).toBe(500)
  expect(after(0.001, 10).shareOf(1_000)).toBe(500)
})

test('what is left over is spread over all batches', () => {
  expect(shares(after(0.4, 0.4), 1_001)).toEqual([501, 500])
  expect(shares(new HoldTime(), 3)).toEqual([3])
})

test('a batch that has deleted nobody tells nothing', () => {
  const time = after(0.4, 0.4)
  time.measured(0, 10_000)
  expect(time.shareOf(1_000)).toBe(1_000)
})
