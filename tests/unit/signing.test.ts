import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { confirmationKey } from '../../src/django/signing.ts'
import django32 from '../fixtures/vec-hmac-3.2.json' with { type: 'json' }
import django52 from '../fixtures/vec-hmac-5.2.json' with { type: 'json' }
import { readConfirmationKey } from '../support/confirmation-key.ts'

const secret = 'research-secret-key-0123456789'
const key = 'MQ:1r31eq:SKctYaRw2k99d1GUWuV7fkanEDyq4ZqoV21eMYqFXtY' // of 1700000000
const at = (seconds: number) => new Date(seconds * 1000)

describe.each([django32, django52])('the keys of Django $django', ({ vectors }) => {
  it.each(vectors)('$key', ({ secret, salt, pk, ts, key }) => {
    expect(confirmationKey({ secret, salt, addressId: pk, at: at(ts) })).toBe(key)
    expect(readConfirmationKey(key, { secret, salt })).toEqual({
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

it('signs what can be read back', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), addressIds, seconds, (secret, salt, addressId, ts) => {
      const signed = confirmationKey({ secret, salt, addressId, at: at(ts) })
      expect(signed).toMatch(/^[-:\w]+$/) // what allauth's URL pattern takes
      expect(readConfirmationKey(signed, { secret, salt })).toEqual({
        addressId,
        signedAt: at(ts),
      })
    }),
  )
})
