import { describe, expect, it } from 'vitest'
import { hashPassword, randomAlphanumerics, unusablePassword } from '../../src/django/password.ts'
import django32 from '../fixtures/vec-password-3.2.json' with { type: 'json' }
import django52 from '../fixtures/vec-password-5.2.json' with { type: 'json' }

type Vector = { alg: string; password: string; salt: string; iterations?: number; encoded: string }
const vectors: Vector[] = [...django32.vectors, ...django52.vectors].filter(
  ({ alg }) => alg === 'pbkdf2_sha256',
)

describe('hashPassword', () => {
  it.each(vectors)('makes what Django makes: $encoded', async ({ password, salt, iterations, encoded }) => {
    expect(await hashPassword(password, iterations === undefined ? { salt } : { salt, iterations })).toBe(
      encoded,
    )
  })

  it('uses the iterations of Django 5.2 and a fresh salt, and fits the column', async () => {
    const [one, two] = await Promise.all([hashPassword('secret'), hashPassword('secret')])
    expect(one).toMatch(/^pbkdf2_sha256\$1000000\$[a-zA-Z0-9]{22}\$[a-zA-Z0-9+/]{43}=$/)
    expect(one).not.toBe(two)
    expect(one.length).toBeLessThanOrEqual(128)
  })

  it.each([{ salt: '' }, { salt: 'a$b' }, { iterations: 0 }, { iterations: 1.5 }])(
    'refuses %o',
    async (options) => {
      await expect(hashPassword('secret', options)).rejects.toThrow(RangeError)
    },
  )
})

it('makes an unusable password as Django does', () => {
  expect(unusablePassword()).toMatch(/^![a-zA-Z0-9]{40}$/)
  expect(unusablePassword()).not.toBe(unusablePassword())
})

it('uses every character for random strings', () => {
  expect(new Set(randomAlphanumerics(10_000)).size).toBe(62)
})
