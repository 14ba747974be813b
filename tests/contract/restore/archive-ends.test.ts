import { readFile, writeFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { archivedUsers } from '../../../src/users/archive/archived-users.ts'
import { HEAD_BYTES } from '../../../src/users/archive/format.ts'
import { openArchive } from '../../../src/users/archive/open-archive.ts'
import { type PurgeInto, purgeInto, putBack, startsIn } from '../../support/archives.ts'
import { describeEachDatabase, type Harness } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const BATCHES = 4
const END = BATCHES + 1

/** An archive with a user in each batch. */
async function purged(harness: Harness, options: PurgeInto = {}) {
  const site = await createSite(harness, 'django5.2-allauth65')
  for (let i = 0; i < BATCHES; i++) await addUser(site)
  const before = await allRowsOf(site.db)
  return { site, before, ...(await purgeInto(directory, site, { size: 1, ...options })) }
}

/** Leaves of the file its header, these batches, and so many bytes of the one behind them. */
async function leave(path: string, numbers: readonly number[], more = 0): Promise<void> {
  const content = await readFile(path)
  const starts = await startsIn(path)
  const batches = starts.map((start, i) => content.subarray(start, starts[i + 1]))
  const left = [0, ...numbers].map((number) => batches[number] ?? Buffer.alloc(0))
  const next = batches[(numbers.at(-1) ?? 0) + 1]?.subarray(0, more) ?? Buffer.alloc(0)
  await writeFile(path, Buffer.concat([...left, next]))
}

async function endLine(path: string): Promise<unknown> {
  const lines = gunzipSync(await readFile(path))
    .toString()
    .trimEnd()
    .split('\n')
  return JSON.parse(lines.at(-1) ?? '')
}

async function shownIn(path: string): Promise<number> {
  const archive = await openArchive(path)
  let users = 0
  try {
    for await (const _ of archivedUsers(archive)) users += 1
  } finally {
    await archive.reader.close()
  }
  return users
}

async function usersIn(site: TestSite): Promise<number> {
  return site.db.$count(site.tables.users)
}

describeEachDatabase('the end of an archive', (harness) => {
  test('is written when the purge is done, whoever of several jobs was the last', async () => {
    const { site, before, path } = await purged(harness, { jobs: 3 })
    expect(await endLine(path)).toEqual({ end: 'done', batches: BATCHES, users: BATCHES })
    expect(await putBack(site, path)).toMatchObject({ end: 'whole', batches: BATCHES, failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('is written when the purge is interrupted', async () => {
    const stop = new AbortController()
    const { path } = await purged(harness, { signal: stop.signal, onProgress: () => stop.abort() })
    expect(await endLine(path)).toEqual({ end: 'interrupted', batches: 1, users: 1 })
  })

  test('is written when an error has stopped the purge', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      // No refusal of a row, and nothing that another batch would fare better with.
      harness.pick({
        sqlite: `create trigger broken before delete on auth_user when old.username = 'last'
          begin select abs(-9223372036854775807 - 1); end;`,
        postgres: `create function broken() returns trigger language plpgsql as
            $$ begin if old.username = 'last' then raise 'no' using errcode = 'XX999'; end if; return old; end $$;
          create trigger broken before delete on auth_user for each row execute function broken();`,
      }),
    )
    for (const username of ['first', 'last']) await addUser(site, { username })
    const { path, report } = await purgeInto(directory, site, { size: 1 })
    expect(report).toMatchObject({ deleted: 1, stopped: { error: expect.any(Error) } })
    expect(await endLine(path)).toEqual({ end: 'stopped', batches: 1, users: 1 })
  })

  test.each([
    ['without its end', [1, 2, 3, 4], 0, 'missing'],
    ['cut between two batches', [1, 2], 0, 'missing'],
    ['cut in the middle of a batch', [1, 2, 3], 100, 'torn'],
    ['cut in the head of a batch', [1], 5, 'torn'],
    ['cut in the middle of its end', [1, 2, 3, 4], 50, 'missing'],
  ])('%s: what is there comes back, and it is said that there may be more', async (_, left, more, end) => {
    const { site, path } = await purged(harness)
    await leave(path, left, more)
    expect(await putBack(site, path)).toMatchObject({ end, batches: left.length, failed: [] })
    expect(await usersIn(site)).toBe(left.length)
    expect(await shownIn(path)).toBe(left.length)
  })

  test('is known where a bit of its head is another one, wherever', async () => {
    const { path } = await purged(harness)
    const content = await readFile(path)
    const [end = 0] = (await startsIn(path)).slice(-1)
    for (let at = end; at < end + HEAD_BYTES; at++) {
      const damaged = Buffer.from(content)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
      await writeFile(path, damaged)
      expect(await shownIn(path)).toBe(BATCHES)
      const { reader } = await openArchive(path)
      await reader.close()
      expect([reader.batches, reader.end]).toEqual([BATCHES, 'whole'])
    }
  })

  test.each([
    ['one in the middle', [1, 3, 4, END], [2], 'whole'],
    ['the last ones', [1, 2, END], [3, 4], 'whole'],
    ['some in the middle, and the end', [1, 4], [2, 3], 'missing'],
  ])('batches that are missing are named: %s', async (_, left, gone, end) => {
    const { site, path } = await purged(harness)
    await leave(path, left)
    const { failed, ...report } = await putBack(site, path)
    const reasons = gone.map((number) => `batch ${number} of the archive is missing`)
    expect(failed.map(({ reason }) => reason).toReversed()).toEqual(reasons)
    expect(report).toMatchObject({ end, batches: BATCHES - gone.length })
    expect(await usersIn(site)).toBe(BATCHES - gone.length)
    await expect(shownIn(path)).rejects.toThrow(
      `${gone.length} of the 4 batches of the archive are damaged or missing: ${gone.join(', ')}`,
    )
  })

  test.each([
    ['whole', [1, 2, 3, 4, END]],
    ['without an end', [1, 2, 3, 4]],
  ])('another archive behind one that is %s: nothing is put back', async (_, left) => {
    const { site, path } = await purged(harness)
    await leave(path, left)
    for (let i = 0; i < 2; i++) await addUser(site)
    const other = await purgeInto(directory, site)
    await writeFile(path, Buffer.concat([await readFile(path), await readFile(other.path)]))
    await expect(putBack(site, path)).rejects.toThrow('there are several archives in this file')
    await expect(shownIn(path)).rejects.toThrow('there are several archives in this file')
    expect(await usersIn(site)).toBe(0)
  })
})

describeEachDatabase('a batch that is taken back', (harness) => {
  test('counts for the file if it was archived before, and not for who was deleted', async () => {
    const late = 'insert into log (user_id) values (old.id)'
    const log = `create table log (id {key}, user_id integer references auth_user (id) deferrable initially deferred);
      create index log_user on log (user_id);
      ${harness.pick({
        sqlite: `create trigger late after delete on auth_user when old.username = 'guilty' begin ${late}; end;`,
        postgres: `create function late() returns trigger language plpgsql as 'begin ${late}; return old; end';
          create trigger late after delete on auth_user for each row when (old.username = 'guilty')
            execute function late();`,
      })}`
    const site = await createSite(harness, 'django5.2-allauth65', log)
    for (const username of ['a', 'b', 'c', 'guilty']) await addUser(site, { username })
    const before = await allRowsOf(site.db)
    const { path, report } = await purgeInto(directory, site, { size: 4, rules: { cascade: ['log'] } })
    expect(report).toMatchObject({ deleted: 3, failed: [{ reason: expect.any(String) }] })
    // All of them, two, the other two, and each of these; PostgreSQL can be asked before they are archived.
    const batches = harness.pick({ sqlite: 5, postgres: 2 })
    expect(await endLine(path)).toEqual({ end: 'done', batches, users: 3 })
    expect(await putBack(site, path)).toMatchObject({ restored: { auth_user: 3 }, failed: [], end: 'whole' })
    expect(await allRowsOf(site.db)).toEqual(before)
  })
})
