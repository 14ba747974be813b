import { describe, expect, test } from 'vitest'
import { isOwnersAlone } from '../../src/db/sqlite/kept-journal.ts'

const SITE = { uid: 1000, gid: 1000 }
const DIRECTORY = { gid: 1000 }
const PROCESS = { user: 1000, group: 1000 }

describe('a journal may stay beside the database', () => {
  test('where a new file there belongs to whom the database belongs to', () => {
    expect(isOwnersAlone(SITE, DIRECTORY, PROCESS)).toBe(true)
  })

  test.each([
    ['the database is another user’s', { ...SITE, uid: 33 }, DIRECTORY, PROCESS],
    ['the database is another group’s', { ...SITE, gid: 33 }, DIRECTORY, PROCESS],
    ['the directory hands on another group', SITE, { gid: 33 }, PROCESS],
    ['the process has another group', SITE, DIRECTORY, { ...PROCESS, group: 33 }],
    ['root works for the site', SITE, DIRECTORY, { user: 0, group: 0 }],
    ['there are no users', SITE, DIRECTORY, { user: undefined, group: undefined }],
  ])('but not when %s', (_, database, directory, process) => {
    expect(isOwnersAlone(database, directory, process)).toBe(false)
  })
})
