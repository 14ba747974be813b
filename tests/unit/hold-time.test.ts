import { expect, test } from 'vitest'
import { HoldTime } from '../../src/users/purge/hold-time.ts'

const THOUSAND = Array.from({ length: 1_000 }, (_, i) => ({ key: String(i) }))
const SHORT = 100
const LONG = 900

/** Returns how many users each part of a batch has. */
function sizes(time: HoldTime, batch = THOUSAND): number[] {
  const parts = time.partsOf(batch)
  expect(parts.flat()).toEqual(batch)
  return parts.map(({ length }) => length)
}

test('the first batch goes in parts, the next one whole when that was quick, and in parts again when it was not', () => {
  const time = new HoldTime()
  expect(sizes(time)).toEqual([500, 500])
  time.measured(500, SHORT)
  expect(sizes(time)).toEqual([1_000])
  time.measured(1_000, LONG)
  expect(sizes(time)).toEqual([500, 500])
})

test('what has not deleted anybody tells nothing', () => {
  const time = new HoldTime()
  time.measured(0, SHORT)
  expect(sizes(time)).toEqual([500, 500])
})

test('a small batch goes as it is, however long it takes', () => {
  expect(sizes(new HoldTime(), THOUSAND.slice(0, 500))).toEqual([500])
  expect(sizes(new HoldTime(), THOUSAND.slice(0, 501))).toEqual([500, 1])
  expect(sizes(new HoldTime(), [])).toEqual([])
})
