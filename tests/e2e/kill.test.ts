import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { runCommand, type Started, startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeDatabase, describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import type { TestSite } from '../support/sites.ts'
import { archivesIn, expectEverybodyWhole, restoreAll, siteRowsOf } from '../support/whole.ts'

const USERS = 20_000
const KILLS = 50
/** One kill of so many comes at any instant since the start; the others once there is an archive. */
const ANY_INSTANT = 5
/** Batches that make the users last for many kills. */
const SMALL = 100
const LARGE = 1_000
/** On SQLite another thread reads what goes when there are so many. */
const ENOUGH_FOR_A_THREAD = 30_000
const MANY_USERS = 50_000
const MANY_KILLS = 8
/** So few would not last for the next purge to be killed. */
const FEW = 10_000
/** As a shell has it. */
const KILLED = 128 + 9
const LONGEST_START_MILLISECONDS = 500
const LONGEST_WORK_MILLISECONDS = 300

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

function startPurge(site: TestSite, batchSize: number): Started {
  return startCommand(crowdPurge(site.url, directory, '--batch-size', String(batchSize), '--quiet'))
}

/** Starts a purge and kills it. Returns when that was, in words. */
async function killAtRandom(site: TestSite, kill: number, batchSize = SMALL): Promise<string> {
  const archives = (await archivesIn(directory)).length
  const { child, ended } = startPurge(site, batchSize)
  const isEarly = kill % ANY_INSTANT === 0
  const life = Math.random() * (isEarly ? LONGEST_START_MILLISECONDS : LONGEST_WORK_MILLISECONDS)
  while (!isEarly && child.exitCode === null && (await archivesIn(directory)).length === archives) {
    await pause(5)
  }
  await pause(life)
  child.kill('SIGKILL')
  const { exit, stderr } = await ended
  expect([exit, stderr]).toEqual([KILLED, ''])
  return `when killed ${life.toFixed(1)} ms after ${isEarly ? 'its start' : 'its archive was made'}`
}

/** Expects that a purge nobody disturbs deletes the rest, and that everybody comes back. */
async function expectToFinishAndComeBack(site: TestSite, before: unknown): Promise<void> {
  const { exit } = await startPurge(site, LARGE).ended
  expect(exit).toBe(0)
  expect(await site.db.$count(site.tables.users)).toBe(0)
  await restoreAll(site, directory)
  expect(await siteRowsOf(site)).toEqual(before)
  for (const path of await archivesIn(directory)) await rm(path)
}

describeEachDatabase('kill -9 during a purge', (harness) => {
  test(`${KILLS} times: everybody is whole in the database or in an archive, and comes back`, async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    let left = USERS
    let atWork = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      const when = await killAtRandom(site, kill)
      const now = await expectEverybodyWhole(site, { users: USERS, directory, when })
      if (now < left) atWork += 1
      left = now
      if (left < FEW) {
        await expectToFinishAndComeBack(site, before)
        left = USERS
      }
    }
    expect(atWork).toBeGreaterThan(0)
    await expectToFinishAndComeBack(site, before)
  })
})

describeEachDatabase('the history of a purge that was killed', (harness) => {
  test('names its archive, and how many it has deleted', async () => {
    const site = await crowdedSite(harness, USERS)
    const usersLeft = () => site.db.$count(site.tables.users)
    const { child, ended } = startPurge(site, SMALL)
    while ((await usersLeft()) === USERS) await pause(5)
    child.kill('SIGKILL')
    await ended
    // A server may still be at its last commit.
    if (harness.kind === 'postgres') {
      const other = await site.database.connect()
      const working = `select 1 from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and application_name = 'usermgmt' and backend_xid is not null`
      while ((await other.rows(working)).length > 0) await pause(5)
    }
    const history = await runCommand(['history', '--database', site.url, '--format', 'json'])
    expect(JSON.parse(history.stdout)).toMatchObject([
      {
        outcome: 'unknown',
        counts: { deleted: USERS - (await usersLeft()) },
        archive: (await archivesIn(directory))[0],
      },
    ])
  })
})

describeDatabase('sqlite', 'kill -9 during a purge that reads in another thread', (harness) => {
  test(`${MANY_KILLS} times: everybody is whole in the database or in an archive, and comes back`, async () => {
    const site = await crowdedSite(harness, MANY_USERS)
    const before = await siteRowsOf(site)
    for (let kill = 1; kill <= MANY_KILLS; kill++) {
      const when = await killAtRandom(site, kill, LARGE)
      const left = await expectEverybodyWhole(site, { users: MANY_USERS, directory, when })
      if (left < ENOUGH_FOR_A_THREAD) await expectToFinishAndComeBack(site, before)
    }
    await expectToFinishAndComeBack(site, before)
  })
})
