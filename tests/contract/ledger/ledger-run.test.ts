import { spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test, vi } from 'vitest'
import { thisProcess } from '../../../src/ledger/holder.ts'
import { LedgerRun, type RunFacts } from '../../../src/ledger/run.ts'
import { migrate } from '../../../src/site/migrate.ts'
import { siteOf } from '../../../src/site/site.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase, type Harness } from '../../support/databases.ts'
import { createSite, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'
import { untilSomebodyWaits } from '../../support/waiting.ts'

const FACTS: RunFacts = { command: 'purge', options: {}, actor: 'ann', host: 'web1', version: '1.0.0' }
const OPTIONS = { lock: 'purge', now: () => new Date('2025-06-15T12:00:00Z') }
const DONE = { outcome: 'done', counts: {} } as const

async function siteWithLedger(harness: Harness, ddl?: string): Promise<TestSite> {
  const site = await createSite(harness, 'django5.2-allauth65', ddl)
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

  test('does not let go of the lock that another one has taken over', async () => {
    const site = await siteWithLedger(harness)
    const run = await begin(site)
    await site.database.run(`update usermgmt_lock set run_id = 'theirs'`)
    await run.end(DONE)
    expect(await rowsOf(site.db, 'usermgmt_lock')).toMatchObject([{ run_id: 'theirs' }])
  })

  test('waits for one whose process is somebody else’s', async () => {
    const site = await siteWithLedger(harness)
    await heldBy(site, thisProcess(), 100)
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
    })
    onTestFinished(() => void vi.restoreAllMocks())
    await expect(begin(site)).rejects.toMatchObject({ kind: 'refused' })
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

describeDatabase('postgres', 'a sign of life', (harness) => {
  async function beating() {
    const site = await siteWithLedger(
      harness,
      `create function refuse() returns trigger language plpgsql as
        'begin raise exception using errcode = tg_argv[0]; end'`,
    )
    const run = await LedgerRun.begin(site.db, FACTS, OPTIONS)
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const refuse = (sqlstate: string) =>
      site.database.run(`create trigger refuse before update on usermgmt_lock
        for each row execute function refuse('${sqlstate}')`)
    const shown = () => rowsOf(site.db, 'usermgmt_lock')
    return { site, run, refuse, shown, after: (seconds: number) => vi.advanceTimersByTime(seconds * 1000) }
  }

  test.each(['53300', '57P01', '55P03', '40001'])(
    'that cannot be given does no harm, and is given later (%s)',
    async (sqlstate) => {
      const { site, run, refuse, shown, after } = await beating()
      await site.database.run(`update usermgmt_lock set heartbeat_at = now() - interval '100 seconds'`)
      await refuse(sqlstate)
      after(15)
      await run.beat()
      await site.database.run('drop trigger refuse on usermgmt_lock')
      const before = await shown()
      await run.beat()
      expect(await shown()).not.toEqual(before)
    },
  )

  test('that waits is not followed by another one', async () => {
    const { site, run, shown, after } = await beating()
    const others = await site.database.connect()
    await others.run('begin; update usermgmt_lock set holder = holder')
    const before = await shown()
    after(15)
    const first = run.beat()
    const over: string[] = []
    const second = run.beat().then(() => over.push('second'))
    await shown()
    expect(over).toEqual(['second'])
    await others.run('commit')
    await Promise.all([first, second])
    expect(await shown()).not.toEqual(before)
  })

  test('ends the run when it cannot be given for so long that another one may begin soon', async () => {
    const { run, refuse, after } = await beating()
    await refuse('53300')
    after(50)
    await run.beat()
    after(20)
    await expect(run.beat()).rejects.toThrow()
  })

  test('ends the run when it can never be given, or the lock is somebody else’s', async () => {
    const { site, run, refuse, after } = await beating()
    await site.database.run(`update usermgmt_lock set run_id = 'theirs'`)
    after(15)
    await expect(run.beat()).rejects.toMatchObject({ kind: 'refused' })
    await site.database.run(`update usermgmt_lock set run_id = '${run.id}'`)
    await refuse('42501')
    await expect(run.beat()).rejects.toThrow()
  })
})

describeDatabase('postgres', 'a purge whose batch takes its time', (harness) => {
  test('shows itself meanwhile', async () => {
    const theirs = await siteWithLedger(
      harness,
      `create function dawdle() returns trigger language plpgsql as 'begin
        while not exists (select 1 from seen) loop perform pg_sleep(0.01); end loop; return old; end';
      create table seen (id integer);
      create trigger dawdle before delete on auth_user for each row execute function dawdle()`,
    )
    await addUser(theirs)
    const site = await siteOf(await theirs.database.open({ connections: 2 }))
    const run = await LedgerRun.begin(site.db, FACTS, OPTIONS)
    await theirs.database.run(`update usermgmt_lock set heartbeat_at = now() - interval '100 seconds'`)
    const plan = await planPurge(site, criteria(), { batchSize: 1 })

    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const purged = purge(site, criteria(), plan, { run })
    const others = await theirs.database.connect()
    await untilSomebodyWaits(others, 'sleep')
    vi.advanceTimersByTime(15_000)
    const sign = `select 1 from usermgmt_lock where heartbeat_at > now() - interval '50 seconds'`
    while ((await others.rows(sign)).length === 0) await pause(5)
    expect(await others.rows('select 1 from auth_user')).toHaveLength(1)
    await others.run('insert into seen values (1)')
    expect(await purged).toMatchObject({ deleted: 1, stopped: undefined })
    await run.end(DONE)
    await others.close()
  })
})
