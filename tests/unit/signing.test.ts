import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { confirmationKey, readConfirmationKey } from '../../src/django/signing.ts'
import django32 from '../fixtures/vec-hmac-3.2.json' with { type: 'json' }
import django52 from '../fixtures/vec-hmac-5.2.json' with { type: 'json' }

const THREE_DAYS = 3 * 86_400
const secret = 'research-secret-key-0123456789'
const key = 'MQ:1r31eq:SKctYaRw2k99d1GUWuV7fkanEDyq4ZqoV21eMYqFXtY' // of 1700000000
const at = (seconds: number) => new Date(seconds * 1000)
const reading = (text: string, now = at(1_700_000_000)) =>
  readConfirmationKey(text, { secret, maxAgeSeconds: THREE_DAYS, now })

describe.each([django32, django52])('the keys of Django $django', ({ vectors }) => {
  it.each(vectors)('$key', ({ secret, salt, pk, ts, key }) => {
    expect(confirmationKey({ secret, salt, addressId: pk, at: at(ts) })).toBe(key)
    expect(readConfirmationKey(key, { secret, salt, maxAgeSeconds: 0, now: at(ts) })).toEqual({
      addressId: BigInt(pk),
      signedAt: at(ts),
    })
  })
})

it('drops the fraction of the second', () => {
  expect(confirmationKey({ secret, addressId: 1, at: new Date(1_700_000_000_999) })).toBe(key)
})

it.each([new Date(Number.NaN), new Date(-1)])('does not sign for %s', (time) => {
  expect(() => confirmationKey({ secret, addressId: 1, at: time })).toThrow(RangeError)
})

const addressIds = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  fc.uuid(),
  fc.string({ unit: 'binary' }),
)
const seconds = fc.integer({ min: 0, max: 2 ** 33 })

it('reads back what it signed', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), addressIds, seconds, (secret, salt, addressId, ts) => {
      const signed = confirmationKey({ secret, salt, addressId, at: at(ts) })
      expect(signed).toMatch(/^[-:\w]+$/) // what allauth's URL pattern takes
      expect(readConfirmationKey(signed, { secret, salt, maxAgeSeconds: 0, now: at(ts) })).toEqual({
        addressId,
        signedAt: at(ts),
      })
    }),
  )
})

it('never takes a key with one character changed, nor one for another secret or salt', () => {
  const position = fc.nat(key.length - 1)
  fc.assert(
    fc.property(position, fc.constantFrom(...'09AZaz-_:=. é'), (index, character) => {
      fc.pre(key[index] !== character)
      expect(reading(key.slice(0, index) + character + key.slice(index + 1))).toHaveProperty('reason')
    }),
  )
  const options = { secret, maxAgeSeconds: THREE_DAYS, now: at(1_700_000_000) }
  expect(readConfirmationKey(key, { ...options, secret: 'other' })).toEqual({ reason: 'bad-signature' })
  expect(readConfirmationKey(key, { ...options, salt: 'other' })).toEqual({ reason: 'bad-signature' })
})

it.each(['Z', 'a', 'b'])('refuses a signature that ends in %s, although it decodes like Y', (last) => {
  expect(reading(key.slice(0, -1) + last)).toEqual({ reason: 'bad-signature' })
})

it.each([
  [THREE_DAYS, undefined],
  [THREE_DAYS + 0.001, 'expired'],
  [-10 * 86_400, undefined], // Django does not mind the future
])('after %d seconds: %s', (age, reason) => {
  const result = reading(key, at(1_700_000_000 + age))
  expect('reason' in result ? result.reason : undefined).toBe(reason)
})

it.each(['', 'MQ', 'MQ:1r31eq', `MQ:${key}`, `${key}\n:x`])('calls %j malformed', (text) => {
  expect(reading(text)).toEqual({ reason: 'malformed' })
})
