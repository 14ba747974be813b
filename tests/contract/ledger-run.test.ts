import { spawnSync } from 'node:child_process'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { thisProcess } from '../../src/ledger/holder.ts'
import { LedgerRun, type RunFacts } from '../../src/ledger/run.ts'
import { migrate } from '../../src/site/migrate.ts'
import { describeEachDatabase, type Harness } from '../support/databases.ts'
import { createSite, rowsOf, type TestSite } from '../support/sites.ts'

const FACTS: RunFacts = { command: 'purge', options: {}, actor: 'ann', host: 'web1', version: '1.0.0' }
const OPTIONS = { lock: 'purge', now: () => new Date('2025-06-15T12:00:00Z') }
const DONE = { outcome: 'done', counts: {} } as const

async function siteWithLedger(harness: Harness): Promise<TestSite> {
  const site = await createSite(harness, 'django5.2-allauth65')
  await migrate(site.db)
  return site
}

async function heldBy(site: TestSite, holder: object, secondsAgo: number): Promise<void> {
  const [time] = await site.db.rows<{ then: unknown }>(
    site.db.dialect.name === 'sqlite'
      ? sql`select datetime('now', ${`-${secondsAgo} seconds`}) as "then"`
      : sql`select (now() - make_interval(secs => ${secondsAgo}))::text as "then"`,
  )
  await site.db.run(sql`insert into usermgmt_lock (name, run_id, holder, acquired_at, heartbeat_at)
    values ('purge', 'theirs', ${JSON.stringify(holder)}, ${time?.then}, ${time?.then})`)
}

/** The number of a process that has just ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ['-e', '0']).pid
}

describeEachDatabase('a run that must be the only one', (harness) => {
  const begin = (site: TestSite) => LedgerRun.begin(site.db, FACTS, OPTIONS)

  test('refuses a second one, which leaves no trace, until it has ended', async () => {
    const site = await siteWithLedger(harness)
    const first = await begin(site)
    await expect(begin(site)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(
        new RegExp(
          `^another purge has been running since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC \\(process ${process.pid} on `,
        ),
      ),
    })
    expect(await rowsOf(site.db, 'usermgmt_run')).toHaveLength(1)
    await first.end(DONE)
    expect(await rowsOf(site.db, 'usermgmt_lock')).toEqual([])
    await (await begin(site)).end(DONE)
  })

  test('keeps no other kind of run out', async () => {
    const site = await siteWithLedger(harness)
    await begin(site)
    const mail = await LedgerRun.begin(
      site.db,
      { ...FACTS, command: 'email' },
      { ...OPTIONS, lock: 'campaign' },
    )
    const restore = await LedgerRun.begin(site.db, { ...FACTS, command: 'restore' }, { now: OPTIONS.now })
    await mail.end(DONE)
    await restore.end(DONE)
    expect(await rowsOf(site.db, 'usermgmt_lock')).toHaveLength(1)
  })

  test.each<[string, () => object, number]>([
    ['whose process has ended', () => ({ ...thisProcess(), pid: endedProcess() }), 1],
    [
      'that has been silent for more than two minutes, wherever it ran',
      () => ({ host: 'elsewhere', pid: 1 }),
      125,
    ],
  ])('takes over from one %s', async (_, holder, secondsAgo) => {
    const site = await siteWithLedger(harness)
    await heldBy(site, holder(), secondsAgo)
    const run = await begin(site)
    expect(await rowsOf(site.db, 'usermgmt_lock')).toMatchObject([{ run_id: run.id }])
  })

  test.each<[string, () => object]>([
    ['on another machine', () => ({ ...thisProcess(), host: 'elsewhere', pid: endedProcess() })],
    [
      'in another container of this machine',
      () => ({ ...thisProcess(), space: 'another', pid: endedProcess() }),
    ],
  ])('waits for one %s that showed itself lately', async (_, holder) => {
    const site = await siteWithLedger(harness)
    await heldBy(site, holder(), 100)
    await expect(begin(site)).rejects.toMatchObject({ kind: 'refused' })
  })
})
