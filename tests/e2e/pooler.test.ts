import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { runCommand, startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { type Pooler, startPooler } from '../support/pooler.ts'
import { archivesIn, expectEverybodyWhole, siteRowsOf } from '../support/whole.ts'

const USERS = 4_000
const VISITORS = 6

let directory: string
let pooler: Pooler
withDirectory(beforeEach, async (path) => {
  directory = path
  pooler = await startPooler(inject('postgresUrl'))
})
afterEach(() => pooler.stop())

/** Others who use the same sessions between two transactions of a purge, and leave settings of their own in them. */
function visitors(url: string) {
  let isOver = false
  let statements = 0
  const visits = Array.from({ length: VISITORS }, async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    while (!isOver) {
      await client.query("set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set bytea_output = 'escape'")
      await client.query('select count(*) from auth_user')
      statements += 1
    }
    await client.end()
  })
  return {
    /** Returns how often they came. */
    async leave(): Promise<number> {
      isOver = true
      await Promise.all(visits)
      return statements
    },
  }
}

describeDatabase('postgres', 'behind a pooler of transactions', (harness) => {
  test('a purge deletes, and a restore puts back, what others see through the same sessions', async () => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    const url = pooler.through(site.url)
    const others = visitors(url)
    const purged = await runCommand(
      crowdPurge(url, directory, '--batch-size', '100', '--format', 'json', '--quiet'),
    )
    expect([purged.exit, purged.stderr]).toEqual([0, ''])
    expect(JSON.parse(purged.stdout)).toMatchObject({ deleted: USERS, failed: [] })
    const [archive = ''] = await archivesIn(directory)
    const restored = await runCommand([
      'restore',
      archive,
      '--database',
      url,
      '--yes',
      '--quiet',
      '--any-database',
    ])
    expect([restored.exit, restored.stderr]).toEqual([0, ''])
    expect(await others.leave()).toBeGreaterThan(0)
    expect(await siteRowsOf(site)).toEqual(before)
  })

  test('a second purge is kept out, and one that was killed leaves everybody whole and no lock behind', async () => {
    const site = await crowdedSite(harness, USERS)
    const url = pooler.through(site.url)
    const first = startCommand(crowdPurge(url, directory, '--batch-size', '10', '--quiet'))
    while ((await site.db.$count(site.tables.users)) === USERS) await pause(10)
    const second = await runCommand(crowdPurge(url, directory, '--quiet'))
    expect(second).toMatchObject({ exit: 3, stdout: '' })
    expect(second.stderr).toMatch(
      /^usermgmt: another purge has been running since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/,
    )
    first.child.kill('SIGKILL')
    await first.ended
    await expectEverybodyWhole(site, { users: USERS, directory })
    const third = await runCommand(crowdPurge(url, directory, '--quiet'))
    expect([third.exit, third.stderr]).toEqual([0, ''])
    expect(await site.db.$count(site.tables.users)).toBe(0)
  })
})
