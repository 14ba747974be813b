import { chmod, copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { type Ended, runCommand, startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { closePlaceOf, filesUpTo, heedingPermissions } from '../support/limits.ts'
import { createSite, type TestSite } from '../support/sites.ts'
import { expectEverybodyWhole, restoreAll, siteRowsOf } from '../support/whole.ts'

const USERS = 5_000
/** So many that another thread would be worth while. */
const MANY_USERS = 30_000
const WITHOUT_THREADS =
  '--experimental-permission --allow-addons --allow-fs-read=* --allow-fs-write=* --no-warnings'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

function fileOf(site: TestSite): string {
  return site.url.replace('sqlite:', '')
}

async function hasBegun(site: TestSite): Promise<void> {
  while ((await site.db.$count(site.tables.users)) === USERS) await pause(20)
}

/** Expects a report and one line that says what happened, and that the next purge goes on to the end. */
async function expectStopped(site: TestSite, { exit, stdout, stderr }: Ended, words: RegExp): Promise<void> {
  expect(stderr).toMatch(words)
  expect(exit).toBe(1)
  const { deleted, failed } = JSON.parse(stdout)
  expect(failed).toEqual([])
  expect(await expectEverybodyWhole(site, { users: USERS, directory })).toBe(USERS - deleted)
  expect((await runCommand(crowdPurge(site.url, directory, '--quiet'))).exit).toBe(0)
}

describeDatabase('sqlite', 'the database file during a purge', (harness) => {
  const purge = (site: TestSite) => crowdPurge(site.url, directory, '--batch-size', '10', '--format', 'json')

  test('locked by another process for good: it stops, and the next purge goes on', async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    const { ended } = startCommand(purge(site))
    await hasBegun(site)
    const other = await site.database.connect()
    const lock = () =>
      other.run('begin immediate').then(
        () => true,
        () => false,
      )
    while (!(await lock())) await pause(1)
    const stopped = await ended
    await other.close()
    await expectStopped(site, stopped, /\nusermgmt: \S+ is locked by another process; .+\n$/)
    await restoreAll(site, directory)
    expect(await siteRowsOf(site)).toEqual(before)
  })

  test('its directory made read-only: it stops, and the next purge goes on', async () => {
    const site = await crowdedSite(harness, USERS)
    const { ended } = startCommand(purge(site), { through: heedingPermissions() })
    await hasBegun(site)
    const giveBack = await closePlaceOf(fileOf(site))
    const stopped = await ended.finally(giveBack)
    const words =
      /\nusermgmt: (nothing can be written beside \S+|\S+ cannot be opened|\S+ cannot be read or written \(I\/O error\)); .+\n$/
    await expectStopped(site, stopped, words)
  })

  test('read-only from the start: nothing is deleted', async () => {
    const site = await crowdedSite(harness, USERS)
    await chmod(fileOf(site), 0o400)
    const { exit, stdout, stderr } = await runCommand(purge(site), { through: heedingPermissions() })
    expect(stderr).toMatch(/\nusermgmt: \S+ is read-only; .+\n$/)
    expect([exit, stdout]).toEqual([1, ''])
    expect(await site.db.$count(site.tables.users)).toBe(USERS)
  })

  test('in WAL mode where nothing can be written: a list says why it cannot read', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await site.database.run('pragma journal_mode = wal')
    await site.database.close()
    const place = join(directory, 'closed')
    await mkdir(place)
    const copy = join(place, 'site.sqlite3')
    await copyFile(fileOf(site), copy)
    await chmod(place, 0o500)
    const list = ['list', '--database', copy, '--quiet']
    const { exit, stderr } = await runCommand(list, { through: heedingPermissions() })
    expect(stderr).toMatch(/^usermgmt: nothing can be written beside \S+; .+\n$/)
    expect(exit).toBe(1)
  })

  test('no room for its journal: nothing is deleted', async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    const { exit, stderr } = await runCommand(purge(site), { through: filesUpTo(1) })
    expect(stderr).toMatch(/\nusermgmt: \S+ cannot be read or written \(I\/O error\); .+\n$/)
    expect(exit).toBe(1)
    expect(await siteRowsOf(site)).toEqual(before)
  })

  test('where Node may start no thread: it reads for itself', async () => {
    const site = await crowdedSite(harness, MANY_USERS)
    const before = await siteRowsOf(site)
    const { exit, stdout } = await runCommand(
      crowdPurge(site.url, directory, '--format', 'json', '--quiet'),
      { through: ['env', `NODE_OPTIONS=${WITHOUT_THREADS}`] },
    )
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: MANY_USERS, failed: [] })
    await restoreAll(site, directory)
    expect(await siteRowsOf(site)).toEqual(before)
  })
})
