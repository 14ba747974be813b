import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeDatabase, describeEachDatabase, type Harness } from '../support/databases.ts'
import { filesUpTo, heedingPermissions } from '../support/limits.ts'
import type { TestSite } from '../support/sites.ts'
import { expectEverybodyWhole, restoreAll, siteRowsOf } from '../support/whole.ts'

const USERS = 5_000
/** Less than an archive of all of them takes. */
const ROOM_KILOBYTES = 64
const FULL =
  /(^|\n)usermgmt: the archive \S+ cannot be written: the file would be larger than this process may write; .+\n$/

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'usermgmt-archive-faults-'))
})
afterEach(() => rm(directory, { recursive: true }))

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
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 0, failed: [] })
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
