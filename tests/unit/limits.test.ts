import { describe, expect, test } from 'vitest'
import { checkFailures } from '../../src/mail/failure-limit.ts'
import { checkBreaker, deletionLimit } from '../../src/users/purge/breaker.ts'
import { limitFrom, limitText } from '../../src/values/limit.ts'

test.each([
  ['1', { kind: 'number', count: 1 }],
  ['100%', { kind: 'percent', percent: 100 }],
  ['0.5%', { kind: 'percent', percent: 0.5 }],
] as const)('%s is a limit', (text, limit) => {
  expect(limitFrom(text)).toEqual(limit)
  expect(limitText(limit)).toBe(text)
})

test('half of one percent of a thousand users are five', () => {
  expect(deletionLimit(1_000, limitFrom('0.5%'))).toBe(5)
})

test.each(['0', '0%', '100.5%', '101%', '-1', '1.5', '1e3', '%', ''])('%s is none', (text) => {
  expect(() => limitFrom(text)).toThrow(/whole number above 0/)
})

describe('how many users may be deleted', () => {
  const setting = '--max-delete'

  test.each([
    [10, 100],
    [199, 100],
    [201, 100],
    [202, 101],
    [1_000_000, 500_000],
  ])('of %i: %i, when nobody says', (users, limit) => {
    expect(deletionLimit(users, undefined)).toBe(limit)
    expect(() => checkBreaker({ toDelete: limit, users }, undefined, setting)).not.toThrow()
    expect(() => checkBreaker({ toDelete: limit + 1, users }, undefined, setting)).toThrow(/the limit is/)
  })
})

describe('how many mails may fail', () => {
  const setting = '--max-failures'

  test.each([
    [100, 20],
    [209, 20],
    [210, 21],
    [1_000, 100],
  ])('of %i tried: %i, when nobody says, however many are planned', (tried, most) => {
    const found = { tried, planned: 1_000_000 }
    expect(() => checkFailures({ ...found, failures: most }, { setting })).not.toThrow()
    expect(() => checkFailures({ ...found, failures: most + 1 }, { setting })).toThrow(/^stopped when/)
  })
})
