import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Pace } from '../../src/mail/pace.ts'
import { testClock } from '../support/clock.ts'

const NUMBERS = Array.from({ length: 50 }, (_, index) => index)

/** Counts who is at work, and in which order it began. */
function worker() {
  const seen = { now: 0, most: 0, began: [] as number[] }
  async function work(number: number) {
    seen.began.push(number)
    seen.now += 1
    seen.most = Math.max(seen.most, seen.now)
    await turn()
    seen.now -= 1
    if (number % 7 === 0) throw new Error(`no ${number}`)
    return number
  }
  return { seen, work }
}

describe('the pace of work', () => {
  test('has a bound, keeps the order, and goes on after what fails', async () => {
    const pace = new Pace({ concurrency: 3, clock: testClock() })
    const { seen, work } = worker()
    const results = await Promise.allSettled(NUMBERS.map((number) => pace.run(() => work(number))))
    expect(seen).toEqual({ now: 0, most: 3, began: NUMBERS })
    expect(results.filter(({ status }) => status === 'rejected').length).toBe(8)
    expect(await pace.run(async () => 'again')).toBe('again')
  })

  test('spreads the beginnings evenly', async () => {
    const clock = testClock()
    const start = clock.now().getTime()
    const pace = new Pace({ concurrency: 2, rate: 5, clock })
    const began: number[] = []
    await Promise.all(NUMBERS.map(() => pace.run(async () => began.push(clock.now().getTime() - start))))
    expect(began).toEqual(NUMBERS.map((number) => number * 200))
  })

  test('does not catch up on what was missed', async () => {
    const clock = testClock()
    const pace = new Pace({ concurrency: 1, rate: 1, clock })
    await pace.run(() => clock.sleep(10_000))
    await pace.run(async () => {})
    await pace.run(async () => {})
    expect(clock.slept).toEqual([10_000, 1_000])
  })
})
