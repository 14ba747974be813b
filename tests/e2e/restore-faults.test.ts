import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { runCommand, startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { closePlaceOf, heedingPermissions } from '../support/limits.ts'
import type { TestSite } from '../support/sites.ts'
import { archivesIn, expectEverybodyWhole, siteRowsOf } from '../support/whole.ts'

const USERS = 5_000

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** Makes the database unusable for the command, until the returned function is called. */
async function takeAway(site: TestSite): Promise<() => Promise<void>> {
  if (site.database.kind === 'sqlite') {
    return closePlaceOf(site.url.replace('sqlite:', ''))
  }
  const administrator = await site.database.connect()
  const found = await administrator.rows(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'usermgmt'`)
  expect(found).not.toEqual([])
  return () => administrator.close()
}

describeEachDatabase('a database that goes away in the middle of a restore', (harness) => {
  test('it stops, reports what is back, and goes on when it is run again', async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    await runCommand(crowdPurge(site.url, directory, '--batch-size', '10', '--quiet'))
    const [path = ''] = await archivesIn(directory)
    const restoring = ['restore', path, '--database', site.url, '--yes', '--format', 'json']

    const { ended } = startCommand(restoring, { through: heedingPermissions() })
    while ((await site.db.$count(site.tables.users)) === 0) await pause(5)
    const giveBack = await takeAway(site)
    const { exit, stdout, stderr } = await ended.finally(giveBack)
    expect(stderr).toMatch(/^usermgmt: .+; .+\n$/m)
    expect(stderr).not.toContain('may get an id')
    expect(exit).toBe(1)
    const { restored, failed, stopped } = JSON.parse(stdout)
    expect(restored.auth_user).toBeGreaterThan(0)
    expect(restored.auth_user).toBeLessThan(USERS)
    expect({ failed, stopped }).toEqual({
      failed: [],
      stopped: { reason: 'error', message: expect.any(String) },
    })
    await expectEverybodyWhole(site, { users: USERS, directory })
    const history = await runCommand(['history', '--database', site.url, '--format', 'json'])
    const [run] = JSON.parse(history.stdout)
    const rows = Object.values<number>(restored).reduce((sum, number) => sum + number)
    // In a directory that is read-only nobody can write down the end of a run.
    const end =
      site.database.kind === 'sqlite'
        ? { outcome: 'unknown' }
        : { outcome: 'failed', counts: { 'rows put back': rows }, archive: path }
    expect(run).toMatchObject({ command: 'restore', ...end })

    expect(await runCommand(restoring)).toMatchObject({ exit: 0 })
    expect(await siteRowsOf(site)).toEqual(before)
  })
})
