import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { JOBS } from '../../src/cli/defaults.ts'
import { runCommand, startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeDatabase, describeOwnServer } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { startProxy } from '../support/proxy.ts'
import type { TestSite } from '../support/sites.ts'
import { archivesIn, expectEverybodyWhole, restoreAll, siteRowsOf } from '../support/whole.ts'

const USERS = 5_000
const BATCH = 10
const CUTS = 5
const LONGEST_WORK_MILLISECONDS = 150
const LONGEST_END_MILLISECONDS = 1_000

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** What the disturbance looks like depends on the instant. */
const REASON =
  /\nusermgmt: (the connection to \S+ was lost|the server of \S+ (has ended the connection|is shutting down or starting)|nothing answers at \S+); .+\n$/

/**
 * Disturbs a purge when it has worked for a moment, and again as long as it goes on: it misses no connection that was
 * cut while it waited for work, and takes a new one. Expects a report of what it has done, one line that says what
 * happened and one that says what to do.
 */
async function expectToStop(site: TestSite, url: string, disturb: () => Promise<unknown>): Promise<void> {
  const users = await site.db.$count(site.tables.users)
  const archives = (await archivesIn(directory)).length
  const purge = startCommand(crowdPurge(url, directory, '--batch-size', String(BATCH), '--format', 'json'))
  while ((await archivesIn(directory)).length === archives && purge.child.exitCode === null) await pause(5)
  await pause(Math.random() * LONGEST_WORK_MILLISECONDS)
  let ended = false
  void purge.ended.finally(() => {
    ended = true
  })
  while (!ended) {
    await disturb()
    await Promise.race([purge.ended, pause(LONGEST_END_MILLISECONDS)])
  }
  const { exit, stdout, stderr } = await purge.ended
  expect(stderr).toMatch(REASON)
  expect(exit).toBe(1)
  const { deleted, failed } = JSON.parse(stdout)
  expect(failed).toEqual([])
  const left = await expectEverybodyWhole(site, { users: USERS, directory })
  // Of the last batch of each job it does not know: the answer to its COMMIT may have been lost.
  const unknown = Array.from({ length: JOBS + 1 }, (_, batches) => batches * BATCH)
  expect(unknown.map((more) => users - deleted - more)).toContain(left)
}

/** Expects that the next purge goes on to the end, and that everybody comes back. */
async function expectToGoOn(site: TestSite, before: unknown): Promise<void> {
  const { exit } = await runCommand(crowdPurge(site.url, directory, '--quiet'))
  expect(exit).toBe(0)
  expect(await site.db.$count(site.tables.users)).toBe(0)
  await restoreAll(site, directory)
  expect(await siteRowsOf(site)).toEqual(before)
}

describeOwnServer('the server during a purge', (harness, server) => {
  test.each(['fast', 'immediate'] as const)(
    'stopped (%s) and started: the next purge goes on',
    async (mode) => {
      const site = await crowdedSite(harness, USERS)
      const before = await siteRowsOf(site)
      await expectToStop(site, site.url, () => server().restart(mode))
      await expectToGoOn(site, before)
    },
  )
})

describeDatabase('postgres', 'the connection of a purge', (harness) => {
  test(`cut ${CUTS} times on its way: the next purge goes on`, async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    const proxy = await startProxy(site.url)
    for (let cut = 0; cut < CUTS; cut++) await expectToStop(site, proxy.url, async () => proxy.cut())
    await proxy.close()
    await expectToGoOn(site, before)
  })

  test('ended by an administrator: the next purge goes on', async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    const administrator = await site.database.connect()
    await expectToStop(site, site.url, () =>
      administrator.rows(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'usermgmt'`),
    )
    await expectToGoOn(site, before)
  })
})
