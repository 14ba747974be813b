import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { writeArchive } from '../support/archives.ts'
import { runCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeDatabase, describeEachDatabase, type Harness } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { filesUpTo, heedingPermissions } from '../support/limits.ts'
import { createSite, type TestSite } from '../support/sites.ts'
import { expectEverybodyWhole, restoreAll, siteRowsOf } from '../support/whole.ts'

const USERS = 5_000
/** Less than an archive of all of them takes. */
const ROOM_KILOBYTES = 64
const FULL =
  /(^|\n)usermgmt: the archive \S+ cannot be written: the file would be larger than this process may write; .+\n$/

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** Whom no archive has room for. */
const LARGE_USER = 7

/** One user has more than there is room for. In this journal mode SQLite itself writes nothing before it commits. */
async function siteWithLargeUser(harness: Harness): Promise<TestSite> {
  const site = await crowdedSite(harness, USERS)
  const bio = randomBytes(ROOM_KILOBYTES * 1024).toString('hex')
  await site.database.run(`update blog_profile set bio = '${bio}' where user_id = ${LARGE_USER}`)
  if (harness.kind === 'sqlite') await site.database.run('pragma journal_mode = wal')
  return site
}

describeEachDatabase('a report that cannot be written', (harness) => {
  test('is told beside: somebody has been created', async () => {
    const { url } = await createSite(harness, 'django5.2-allauth65')
    const create = ['create-user', 'ann', '--email', 'ann@example.com', '--no-password', '--porcelain']
    const ended = await runCommand([...create, '--database', url], {
      through: ['sh', '-c', 'exec "$@" > /dev/full', 'sh'],
    })
    expect(ended).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: expect.stringMatching(/^\d+\nusermgmt: the output cannot be written: the disk is full\n$/),
    })
  })

  test('is told beside: it names the archive', async () => {
    const site = await crowdedSite(harness, 20)
    const purge = crowdPurge(site.url, directory, '--quiet')
    const ended = await runCommand(purge, { through: ['sh', '-c', 'exec "$@" > /dev/full', 'sh'] })
    expect(ended).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^20 users deleted, of 20 candidates\n.*\narchive: \S+\nto put everybody back: .*\nusermgmt: the output cannot be written: the disk is full\n$/s,
      ),
    })
  })
})

describeEachDatabase('an archive that cannot be written', (harness) => {
  test('no room: nothing of the batch is deleted', async () => {
    const site = await siteWithLargeUser(harness)
    const before = await siteRowsOf(site)
    // One after the other: the batch that needs too much room is the first.
    const size = ['--batch-size', '10', '--jobs', '1']
    const purge = crowdPurge(site.url, directory, ...size, '--format', 'json')
    const { exit, stdout, stderr } = await runCommand(purge, { through: filesUpTo(ROOM_KILOBYTES) })
    expect(stderr).toMatch(FULL)
    expect(exit).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      deleted: 0,
      failed: [],
      stopped: { reason: 'error', message: expect.stringMatching(/^the archive \S+ cannot be written: /) },
      archive: null,
    })
    expect(await readdir(directory)).toEqual([])
    expect(await siteRowsOf(site)).toEqual(before)
  })

  test('no permission: nothing is deleted', async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    const closed = join(directory, 'closed')
    await mkdir(closed)
    await chmod(closed, 0o500)
    for (const archive of [closed, join(closed, 'new')]) {
      const purge = crowdPurge(site.url, archive, '--quiet')
      const { exit, stdout, stderr } = await runCommand(purge, { through: heedingPermissions() })
      expect(stderr).toMatch(/^usermgmt: the archive \S+ cannot be written: permission denied; .+\n$/)
      expect([exit, stdout]).toEqual([1, ''])
    }
    expect(await siteRowsOf(site)).toEqual(before)
    expect(await readdir(closed)).toEqual([])
  })
})

describe('archive prune', () => {
  const OLD = new Date('2020-01-01T00:00:00Z')

  async function writeArchives(): Promise<string[]> {
    const paths = ['a', 'b', 'c'].map((name) => join(directory, `purge-${name}.ndjson.gz`))
    for (const path of paths) await writeArchive(path, OLD)
    return paths
  }

  const prune = () =>
    runCommand(['archive', 'prune', '--older-than', '30d', '--archive', directory, '--quiet'], {
      through: heedingPermissions(),
    })

  test('names what may not be looked into, and removes the rest', async () => {
    const [, closed = ''] = await writeArchives()
    await chmod(closed, 0)
    expect(await prune()).toEqual({
      exit: 1,
      stdout: '2 archives removed, 1 kept\n',
      stderr: `usermgmt: 1 archive could not be removed:\n  ${closed}: permission denied\n`,
    })
    expect(await readdir(directory)).toEqual([basename(closed)])
  })

  test('names all that may not be removed', async () => {
    const paths = await writeArchives()
    await chmod(directory, 0o500)
    const ended = await prune().finally(() => chmod(directory, 0o700))
    const lines = paths.map((path) => `  ${path}: permission denied\n`).join('')
    expect(ended).toEqual({
      exit: 1,
      stdout: '0 archives removed, 3 kept\n',
      stderr: `usermgmt: 3 archives could not be removed:\n${lines}`,
    })
  })
})

describeDatabase('postgres', 'an archive that fills the disk', (harness) => {
  test('not even its header has room: no file is left', async () => {
    const site = await crowdedSite(harness, USERS)
    const ran = await runCommand(crowdPurge(site.url, directory, '--quiet'), { through: filesUpTo(0) })
    expect(ran).toMatchObject({ exit: 1, stdout: '', stderr: expect.stringMatching(FULL) })
    expect(await readdir(directory)).toEqual([])
  })

  test.each([1, 3])('%i batches at once: what is in it is deleted, the rest is not', async (jobs) => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    const size = ['--batch-size', '50', '--jobs', String(jobs)]
    const purge = crowdPurge(site.url, directory, ...size, '--format', 'json')
    const { exit, stdout, stderr } = await runCommand(purge, { through: filesUpTo(ROOM_KILOBYTES) })
    expect(stderr).toMatch(FULL)
    expect(exit).toBe(1)
    const { deleted, failed } = JSON.parse(stdout)
    expect(failed).toEqual([])
    expect(deleted).toBeGreaterThan(0)
    expect(await expectEverybodyWhole(site, { users: USERS, directory })).toBe(USERS - deleted)
    expect((await runCommand(crowdPurge(site.url, directory, '--quiet'))).exit).toBe(0)
    await restoreAll(site, directory)
    expect(await siteRowsOf(site)).toEqual(before)
  })
})
