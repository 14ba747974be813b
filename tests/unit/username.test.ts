import { describe, expect, it } from 'vitest'
import { usernameCandidates, usernameFrom } from '../../src/django/free-username.ts'
import { normalizeUsername, usernameProblem } from '../../src/django/username.ts'

it.each([
  ['\u212bngström', 'Ångström'],
  ['ﬁnn', 'finn'],
  ['Ada', 'Ada'],
])('normalises %s to %s', (given, stored) => {
  expect(normalizeUsername(given)).toBe(stored)
})

describe('usernameProblem', () => {
  it.each(['ada', 'ada.l+x@example-site_1', 'Ångström', '李小龙', '①½Ⅷ', 'x'.repeat(150)])(
    'accepts %s',
    (username) => {
      expect(usernameProblem(username)).toBeUndefined()
    },
  )

  it.each(['a b', 'ada\n', 'ada!', 'हिन्दी', 'e\u0301', '😀', 'a\u200db', 'a/b'])('refuses %j', (username) => {
    expect(usernameProblem(username)).toMatch(/^Enter a valid username\./)
  })

  it('counts characters, not UTF-16 units', () => {
    expect(usernameProblem('𝒜'.repeat(150))).toBeUndefined()
    expect(usernameProblem('x'.repeat(151))).toBe(
      'Ensure this value has at most 150 characters (it has 151).',
    )
    expect(usernameProblem('abcd', 3)).toBe('Ensure this value has at most 3 characters (it has 4).')
  })

  it('wants one at all', () => {
    expect(usernameProblem('')).toBe('The given username must be set.')
  })
})

it.each([
  [['José.X+Tag@example.com'], 'jose.x+tag'],
  [['', '  Ada  King Lovelace '], 'ada_king_lovelace'],
  [['李', '@home', 'ada@example.com'], 'ada'],
  [["O'Brien (work)"], 'obrien_work'],
  [['ﬁnn'], 'finn'],
  [['x'.repeat(151), 'ada'], 'ada'],
  [['x'.repeat(151)], 'x'.repeat(150)],
  [['李'], 'user'],
  [[], 'user'],
])('makes %j into %s', (parts, username) => {
  expect(usernameFrom(parts)).toBe(username)
})

describe('usernameCandidates', () => {
  it('tries the base, then one to six random characters, digits first', () => {
    const [base, ...others] = usernameCandidates('ada')
    expect(base).toBe('ada')
    expect(others).toHaveLength(6)
    others.forEach((name, index) => {
      const digits = Math.min(index + 1, 4)
      expect(name).toMatch(new RegExp(`^ada\\d{${digits}}[a-zA-Z]{${index + 1 - digits}}$`))
    })
  })

  it('stays within the column', () => {
    const names = [...usernameCandidates('x'.repeat(150))]
    expect(names.map((name) => name.length)).toEqual(Array(7).fill(150))
    expect([...usernameCandidates('abcdef', { maxLength: 3 })].map((name) => name.length)).toEqual([3, 3])
  })

  it('pads a base that is too short', () => {
    const names = [...usernameCandidates('ada', { minLength: 6 })]
    expect(names.map((name) => name.length)).toEqual([6, 7, 8, 9])
  })
})
