import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import type { Db, ReadingAhead } from '../../../src/db/port.ts'
import { purgeInto, putBack } from '../../support/archives.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, type TestSite } from '../../support/sites.ts'

/** As few as another thread is worth while for. */
const USERS = 30_000
const SIZE = 12_000
const BATCHES = 3

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

type ReadAhead = Db['readAhead']

/** Returns the site with what comes between it and the other thread, and how each reading ended. */
function watched(
  site: TestSite,
  change: (reading: ReadingAhead) => ReadingAhead | undefined = (same) => same,
) {
  const ends: Promise<string>[] = []
  const between = (readAhead: ReadAhead): ReadAhead => {
    return async (...asked) => {
      const reading = await readAhead(...asked)
      const changed = reading && change(reading)
      ends.push(
        changed
          ? changed.packed.then(
              () => 'read',
              (error) => error.name,
            )
          : Promise.resolve('not read'),
      )
      return changed
    }
  }
  const db: Db = {
    ...site.db,
    transaction: (mode, work) =>
      site.db.transaction(mode, (tx) => work({ ...tx, readAhead: between(tx.readAhead) })),
  }
  return { site: { ...site, db }, ends: () => Promise.all(ends) }
}

/** Purges everybody, and expects that all are gone, archived once, and come back as they were. Returns how each reading ended. */
async function purgedAndBack(site: TestSite, change?: (reading: ReadingAhead) => ReadingAhead | undefined) {
  const before = await allRowsOf(site.db)
  const users = await site.db.$count(site.tables.users)
  const watching = watched(site, change)
  const { path, report } = await purgeInto(directory, watching.site, { size: SIZE })
  expect(report).toMatchObject({ deleted: users, failed: [] })
  expect(report.stopped).toBeUndefined()
  expect(await site.db.$count(site.tables.users)).toBe(0)
  const lines = gunzipSync(await readFile(path))
    .toString()
    .split('\n')
  expect(new Set(lines).size).toBe(lines.length)
  expect(await putBack(site, path)).toMatchObject({ restored: { auth_user: users }, failed: [] })
  expect(await allRowsOf(site.db)).toEqual(before)
  return watching.ends()
}

describeDatabase('sqlite', 'a large purge', (harness) => {
  async function crowd(users = USERS, ddl = ''): Promise<TestSite> {
    const site = await createSite(harness, 'django5.2-allauth65', ddl)
    await addCrowd(site, users)
    return site
  }

  test.each(['delete', 'wal'])('is read by another thread (journal_mode %s)', async (mode) => {
    const site = await crowd()
    await site.database.run(`pragma journal_mode = ${mode}`)
    expect(await purgedAndBack(site)).toEqual(Array(BATCHES).fill('read'))
  })

  test('reads again what the other thread cannot read exactly, and leaves it alone from then on', async () => {
    const site = await crowd()
    await site.database.run(`update auth_user set first_name = cast(x'4dfc6c6c6572' as text) where id = 77`)
    expect(await purgedAndBack(site)).toEqual(['ReadAgain'])
  })

  test('reads again when other rows have been read than deleted', async () => {
    const lossy = ({ packed }: ReadingAhead) => ({
      packed: packed.then((tables) => tables.map(([first, ...others]) => (first ? others : []))),
    })
    expect(await purgedAndBack(await crowd(), lossy)).toEqual(['read'])
  })

  test('reads for itself when there is no other thread', async () => {
    expect(await purgedAndBack(await crowd(), () => undefined)).toEqual(Array(BATCHES).fill('not read'))
  })

  test('is not worth it for fewer users', async () => {
    expect(await purgedAndBack(await crowd(USERS - 1))).toEqual([])
  })

  test.each([
    ['refers to itself', 'parent_id integer references note (id)'],
    ['may lose a reference', 'reviewer_id integer references auth_user (id) on delete set null'],
  ])('reads for itself where a table %s', async (_, column) => {
    const site = await crowd(
      USERS,
      `create table note (id {key}, author_id integer references auth_user (id) on delete cascade, ${column});
       create index note_author on note (author_id);
       create index note_other on note (${column.split(' ')[0]});`,
    )
    // As long as there is a note: of an empty table nothing need be feared.
    await site.database.run(`insert into note (author_id) values (${USERS})`)
    expect(await purgedAndBack(site)).toEqual([])
  })

  test('relies on nothing where triggers change rows', async () => {
    const site = await crowd(
      USERS,
      `create trigger anonymise after delete on account_emailaddress begin
        update auth_user set first_name = 'gone' where id = old.user_id; end`,
    )
    const watching = watched(site)
    const { report } = await purgeInto(directory, watching.site, { size: SIZE })
    expect(report).toMatchObject({ deleted: USERS, failed: [] })
    expect(await watching.ends()).toEqual([])
  })
})
