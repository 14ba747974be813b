import { constants } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { listRuns } from '../../src/ledger/history.ts'
import { type Started, startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeEachDatabase, type RawConnection } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { runInTerminal } from '../support/in-terminal.ts'
import type { TestSite } from '../support/sites.ts'
import { archivesIn, expectEverybodyWhole, restoreAll, siteRowsOf } from '../support/whole.ts'

const USERS = 5_000
/** As a shell has it. */
const INTERRUPTED = 130
const TERMINATED = 143
const STOPPING = 'stopping after this batch; once more to stop at once'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** Many small batches, so that a signal finds the purge at work. */
function longPurge(site: TestSite): string[] {
  return crowdPurge(site.url, directory, '--batch-size', '5', '--format', 'json')
}

function startPurge(site: TestSite): Started {
  return startCommand(longPurge(site))
}

async function hasBegun(site: TestSite): Promise<void> {
  while ((await site.db.$count(site.tables.users)) === USERS) await pause(20)
}

/** Keeps every batch waiting until the connection is closed; returns when one waits, or is about to. */
async function holdUp(site: TestSite): Promise<RawConnection> {
  const other = await site.database.connect()
  if (site.db.dialect.name === 'sqlite') {
    while (!(await succeeds(() => other.run('begin immediate')))) await pause(1)
    return other
  }
  await other.run('begin; lock table auth_user in exclusive mode')
  const waiting = `select 1 from pg_locks where relation = 'auth_user'::regclass and not granted`
  while ((await other.rows(waiting)).length === 0) await pause(5)
  return other
}

function succeeds(work: () => Promise<void>): Promise<boolean> {
  return work().then(
    () => true,
    () => false,
  )
}

describeEachDatabase('a signal during a purge', (harness) => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s: the batch is finished, the report says how far it got',
    async (signal) => {
      const site = await crowdedSite(harness, USERS)
      const before = await siteRowsOf(site)
      const { child, ended } = startPurge(site)
      await hasBegun(site)
      child.kill(signal)
      const { exit, stdout, stderr } = await ended
      expect(exit).toBe(INTERRUPTED)
      const { deleted, failed, stopped, archive } = JSON.parse(stdout)
      expect({ failed, stopped }).toEqual({ failed: [], stopped: { reason: 'interrupted' } })
      expect(await archivesIn(directory)).toEqual([archive])
      expect(stderr).toContain(STOPPING)
      expect(stderr).toMatch(/\nusermgmt: interrupted: [\d,]+ users deleted; run it again to go on\n$/)
      const left = await expectEverybodyWhole(site, { users: USERS, directory })
      expect(left).toBe(USERS - deleted)
      expect(left).toBeGreaterThan(0)
      await restoreAll(site, directory)
      expect(await siteRowsOf(site)).toEqual(before)
    },
  )

  test.each([
    ['SIGINT', INTERRUPTED],
    ['SIGTERM', TERMINATED],
  ] as const)('%s twice: it stops at once, in the middle of a batch', async (signal, ended) => {
    const site = await crowdedSite(harness, USERS)
    const purge = startPurge(site)
    await hasBegun(site)
    const other = await holdUp(site)
    purge.child.kill(signal)
    await purge.said(STOPPING)
    purge.child.kill(signal)
    expect(await purge.ended).toMatchObject({ exit: ended, stdout: '' })
    await other.close()
    const left = await expectEverybodyWhole(site, { users: USERS, directory })
    expect(left).toBeGreaterThan(0)
  })

  test('the loss of the terminal: the batch is finished, the ledger knows how far it got', async () => {
    const users = 20_000
    const site = await crowdedSite(harness, users)
    expect(await runInTerminal(longPurge(site), { until: 'deleting' })).toMatchObject({
      exit: -constants.signals.SIGHUP,
      shown: true,
    })
    const left = await expectEverybodyWhole(site, { users, directory })
    expect(left).toBeGreaterThan(0)
    const runs = await listRuns(site.db, { limit: 2 })
    expect(runs).toMatchObject([{ outcome: 'interrupted', counts: { deleted: users - left } }])
  })

  test('a hang-up of a terminal that it is not on, as with nohup: it goes on', async () => {
    const site = await crowdedSite(harness, USERS)
    const { child, ended } = startPurge(site)
    await hasBegun(site)
    child.kill('SIGHUP')
    const { exit, stdout } = await ended
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: USERS, stopped: null })
  })
})
