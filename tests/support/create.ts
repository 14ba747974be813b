import { expect } from 'vitest'
import { type CreatedUser, createUser } from '../../src/users/create.ts'
import type { NewUser } from '../../src/users/new-user.ts'
import { wordsOf } from './errors.ts'
import { allRowsOf, type TestSite } from './sites.ts'

const NOW = new Date('2025-06-15T12:00:00.123Z')

/** Creates ann@example.com, called ann unless the user says otherwise. */
export function create(site: TestSite, user: Partial<NewUser> = {}): Promise<CreatedUser> {
  return createUser(site, { username: 'ann', email: 'ann@example.com', ...user }, NOW)
}

/** Expects `create` to fail with these words, and to write nothing. */
export async function expectRefusal(
  site: TestSite,
  user: Partial<NewUser>,
  message: string | RegExp,
  kind = 'failed',
): Promise<void> {
  const before = await allRowsOf(site.db)
  const error = await wordsOf(() => create(site, user))
  expect(error.message).toMatch(message)
  expect(error.kind).toBe(kind)
  expect(await allRowsOf(site.db)).toEqual(before)
}
