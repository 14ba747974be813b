import { expect, test } from 'vitest'
import { isOneUsers } from '../../src/db/sqlite/kept-journal.ts'

const OWNER = 1000

test.each([
  ['only the owner uses', 0o100600, OWNER, true],
  ['all may read', 0o100644, OWNER, true],
  ['is another user’s', 0o100644, 33, false],
  ['is the site’s, and root works on it', 0o100644, 0, false],
  ['is in a system without users', 0o100644, undefined, false],
  ['a group may read, or an access control list lets somebody', 0o100640, OWNER, false],
  ['a group may write', 0o100660, OWNER, false],
  ['a group may write, and others read', 0o100664, OWNER, false],
  ['all may write', 0o100666, OWNER, false],
])('a database that %s', (_, mode, user, isKept) => {
  expect(isOneUsers({ uid: OWNER, mode }, user)).toBe(isKept)
})
