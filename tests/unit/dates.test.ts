import { describe, expect, test } from 'vitest'
import { graceStart, pastInstant, shownInstant, sinceText, zoneFrom } from '../../src/values/dates.ts'

const clock = { now: new Date('2025-03-31T12:30:45.678Z'), zone: 'UTC' }
const berlin = { ...clock, zone: 'Europe/Berlin' }

describe('a date is midnight in the zone', () => {
  test.each([
    ['2020-01-01', 'UTC', '2020-01-01T00:00:00Z'],
    ['2020-01-01', 'Europe/Berlin', '2019-12-31T23:00:00Z'],
    ['2020-07-01', 'Europe/Berlin', '2020-06-30T22:00:00Z'],
    // Twice, the earlier one; and never.
    ['2024-10-27 02:30', 'Europe/Berlin', '2024-10-27T00:30:00Z'],
    ['2024-10-27 03:00', 'Europe/Berlin', '2024-10-27T02:00:00Z'],
    ['2024-11-03 01:30', 'America/New_York', '2024-11-03T05:30:00Z'],
    ['2024-04-07 01:45', 'Australia/Lord_Howe', '2024-04-06T14:45:00Z'],
    ['2024-03-31 02:30', 'Europe/Berlin', '2024-03-31T01:30:00Z'],
    ['2020-01-01', 'Asia/Kathmandu', '2019-12-31T18:15:00Z'],
    ['2020-02-29', 'UTC', '2020-02-29T00:00:00Z'],
    // Clocks went from 00:00 to 01:00: the day began at one o'clock.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['2025-03-31', 'UTC', '2025-03-31T00:00:00Z'],
  ])('%s in %s is %s', (text, zone, instant) => {
    expect(pastInstant(text, { ...clock, zone })).toBe(instant)
  })
})

describe('an instant is taken as it is', () => {
  test.each([
    ['2020-01-01T12:00:00Z', '2020-01-01T12:00:00Z'],
    ['2020-01-01T12:00Z', '2020-01-01T12:00:00Z'],
    ['2020-01-01 12:00:00+02:00', '2020-01-01T10:00:00Z'],
    ['2020-01-01T12:00:00-0530', '2020-01-01T17:30:00Z'],
    ['2020-01-01T12:00:00.000001Z', '2020-01-01T12:00:00.000001Z'],
    ['2020-01-01T12:00:00.5Z', '2020-01-01T12:00:00.500000Z'],
    ['2020-01-01T12:00:00.123456+01:00', '2020-01-01T11:00:00.123456Z'],
    ['2020-01-01T12:00:00.000Z', '2020-01-01T12:00:00Z'],
  ])('%s is %s', (text, instant) => {
    expect(pastInstant(text, berlin)).toBe(instant)
  })

  test('without an offset, in the zone', () => {
    expect(pastInstant('2020-01-01 12:00', berlin)).toBe('2020-01-01T11:00:00Z')
    expect(pastInstant('2020-01-01T12:00:00.25', berlin)).toBe('2020-01-01T11:00:00.250000Z')
  })
})

describe('an age counts back from now, in whole seconds', () => {
  test.each([
    ['36h', '2025-03-30T00:30:45Z'],
    ['90d', '2024-12-31T12:30:45Z'],
    ['2w', '2025-03-17T12:30:45Z'],
    ['1mo', '2025-02-28T12:30:45Z'],
    ['6mo', '2024-09-30T12:30:45Z'],
    ['1y', '2024-03-31T12:30:45Z'],
    ['0d', '2025-03-31T12:30:45Z'],
  ])('%s is %s', (text, instant) => {
    expect(pastInstant(text, clock)).toBe(instant)
  })

  test('days are those of the zone: this one had 23 hours', () => {
    expect(pastInstant('1d', berlin)).toBe('2025-03-30T12:30:45Z')
    expect(pastInstant('2d', berlin)).toBe('2025-03-29T13:30:45Z')
  })
})

describe('what cannot be a date', () => {
  test.each([
    ['2020-02-30', '2020-02-30 does not exist'],
    ['2021-02-29', '2021-02-29 does not exist'],
    ['2020-13-01', '2020-13-01 does not exist'],
    ['2020-01-01T25:00Z', '2020-01-01T25:00Z does not exist'],
    ['2020-01-01T00:00+25:00', '2020-01-01T00:00+25:00 does not exist'],
    ['2020-01-01T00:00-02:60', '2020-01-01T00:00-02:60 does not exist'],
    ['2020-01-01T12:00:00.1234567Z', '2020-01-01T12:00:00.1234567Z is finer than a microsecond'],
    ['2025-04-01', '2025-04-01 lies in the future'],
    ['2025-03-31T12:30:46Z', '2025-03-31T12:30:46Z lies in the future'],
    ['9999y', '9999y is too long a time'],
    ['1990y', '1990y is too long a time'],
    ['0050-01-01', '0050-01-01 is too long ago'],
    ['999999999999999999y', '999999999999999999y is too long a time'],
    ['-5d', '"-5d" is not a date or age'],
    ['1.5y', '"1.5y" is not a date or age'],
    ['6m', '"6m" is not a date or age'],
    ['01.02.2020', '"01.02.2020" is not a date or age'],
    ['yesterday', '"yesterday" is not a date or age'],
    ['', '"" is not a date or age'],
  ])('%s: %s', (text, message) => {
    expect(() => pastInstant(text, clock)).toThrow(expect.objectContaining({ message, kind: 'invalid' }))
  })

  test('months are not minutes', () => {
    expect(() => pastInstant('6m', clock)).toThrow(
      expect.objectContaining({ hint: 'months are written 6mo' }),
    )
  })
})

describe('grace', () => {
  test.each([
    ['0', undefined],
    ['0d', undefined],
    ['7d', '2025-03-24T12:30:45Z'],
  ])('%s begins at %s', (text, instant) => {
    expect(graceStart(text, clock)).toBe(instant)
  })

  test.each(['7', '-1d', '2020-01-01', '1.5d', 'x', '0banana', '0x', '00'])('%s is no age', (text) => {
    expect(() => graceStart(text, clock)).toThrow(`"${text}" is not an age`)
  })
})

describe('what was understood', () => {
  test('in UTC', () => {
    expect(sinceText('2020-01-01T00:00:00Z', 'UTC')).toBe(
      'not logged in since 2020-01-01 00:00 UTC (or never)',
    )
  })

  test.each([
    ['2020-01-01T12:30:45Z', '2020-01-01 12:30:45 UTC'],
    ['2020-01-01T12:30:00.000001Z', '2020-01-01 12:30:00.000001 UTC'],
  ])('%s as precise as it is', (instant, shown) => {
    expect(shownInstant(instant, 'UTC')).toBe(shown)
  })

  test('in another zone also in UTC', () => {
    expect(shownInstant('2019-12-31T23:00:00Z', 'Europe/Berlin')).toBe(
      '2020-01-01 00:00 Europe/Berlin (2019-12-31 23:00 UTC)',
    )
    expect(shownInstant('2020-01-01T00:00:00.000001Z', 'Asia/Kathmandu')).toBe(
      '2020-01-01 05:45:00.000001 Asia/Kathmandu (2020-01-01 00:00:00.000001 UTC)',
    )
  })
})

test('a zone is known by any spelling of its letters', () => {
  expect(zoneFrom('europe/berlin')).toBe('Europe/Berlin')
  expect(zoneFrom('UTC')).toBe('UTC')
  // Whoever writes it so will look for it so.
  expect(zoneFrom('CET')).toBe('CET')
  expect(pastInstant('2020-01-01', { ...clock, zone: 'CET' })).toBe('2019-12-31T23:00:00Z')
  expect(() => zoneFrom('Europe/Berlni')).toThrow(
    'there is no time zone "Europe/Berlni" (did you mean Europe/Berlin?)',
  )
})
