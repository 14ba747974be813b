import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { botsAmong, CUTOFF } from './crowd.ts'
import { type Measured, median, timed } from './measure.ts'
import { djangoDeletion, rawDeletion } from './peers.ts'
import type { Bench } from './section.ts'
import { type SiteDatabase, usermgmt } from './site-databases.ts'

const RAW = { sqlite: 1.5, postgres: 1.2 }
const DJANGO = { sqlite: 5, postgres: 2.5 }
const MEGABYTES = 150

/** Deletes the bots in every way there is, each on a database of its own. */
export async function measurePurge(bench: Bench): Promise<void> {
  const { databases, peers, report, users } = bench
  const { kind } = databases
  const small = [users / 100, users / 10].map(Math.floor)
  const peaks = new Map<number, number | undefined>()
  for (const size of small) peaks.set(size, (await archived(bench, size)).peakMegabytes)

  const raw = await deletion(bench, 'one raw SQL transaction', users, async (database) => ({
    seconds: await rawDeletion(database),
    peakMegabytes: undefined,
  }))
  const without = await deletion(bench, 'purge --no-archive', users, (database) =>
    timed(purge(database, '--no-archive')),
  )
  await deletion(bench, 'purge --no-archive, with a ledger', users, async (database) => {
    await timed(usermgmt(database.url, 'migrate', '--quiet'))
    return timed(purge(database, '--no-archive'))
  })
  const withArchive = await archived(bench, users)
  peaks.set(users, Math.max(without.peakMegabytes ?? 0, withArchive.peakMegabytes ?? 0) || undefined)
  report.goal({
    database: kind,
    what: 'purge --no-archive to raw SQL',
    limit: { atMost: RAW[kind] },
    reached: without.seconds / raw.seconds,
  })

  const django = peers.django
    ? await deletion(bench, "Django's QuerySet.delete()", users, async (database) => ({
        seconds: await djangoDeletion(database),
        peakMegabytes: undefined,
      }))
    : undefined
  report.goal({
    database: kind,
    what: "Django's delete() to purge with archive",
    limit: { atLeast: DJANGO[kind] },
    reached: django && django.seconds / withArchive.seconds,
    note: django ? undefined : 'skipped: no python3-django with allauth',
  })
  for (const size of [users / 10, users].map(Math.floor)) {
    report.goal({
      database: kind,
      what: `peak memory of a purge, ${size} users`,
      limit: { atMost: MEGABYTES },
      unit: 'MB',
      reached: peaks.get(size),
    })
  }
}

/** With the archive, and back again. */
async function archived(bench: Bench, users: number): Promise<Measured> {
  const restored: Measured[] = []
  const measured = await deletion(bench, 'purge', users, async (database) => {
    const directory = await mkdtemp(join(tmpdir(), 'usermgmt-bench-archive-'))
    try {
      const purged = await timed(purge(database, '--archive', directory))
      await expectLeft(database, users - botsAmong(users))
      const [file = ''] = await readdir(directory)
      const args = [join(directory, file), '--yes', '--any-database', '--quiet']
      restored.push(await timed(usermgmt(database.url, 'restore', ...args)))
      await expectLeft(database, users)
      return purged
    } finally {
      await rm(directory, { recursive: true })
    }
  })
  add(bench, 'restore', users, restored)
  return measured
}

/** Runs the work on databases of its own, as often as asked, and sees to it that the bots are gone. */
async function deletion(
  bench: Bench,
  what: string,
  users: number,
  work: (database: SiteDatabase) => Promise<Measured>,
): Promise<Measured> {
  const runs: Measured[] = []
  for (let run = 0; run < bench.repeat; run++) {
    const database = await bench.databases.withCrowd(users)
    runs.push(await work(database))
    if (what !== 'purge') await expectLeft(database, users - botsAmong(users))
    await database.drop()
  }
  return add(bench, what, users, runs)
}

function add({ databases, report }: Bench, what: string, users: number, runs: readonly Measured[]): Measured {
  const peaks = runs.flatMap(({ peakMegabytes }) => peakMegabytes ?? [])
  const peakMegabytes = peaks.length > 0 ? Math.max(...peaks) : undefined
  const seconds = runs.map((run) => run.seconds)
  const worked = botsAmong(users)
  report.figure({ database: databases.kind, users, what, seconds, peakMegabytes, worked })
  return { seconds: median(seconds), peakMegabytes }
}

function purge({ url }: SiteDatabase, ...args: string[]) {
  return usermgmt(url, 'purge', '--since', CUTOFF, '--yes', '--quiet', ...args)
}

/** A figure for work that was not done would be worth nothing. */
async function expectLeft(database: SiteDatabase, users: number): Promise<void> {
  const connection = await database.connect()
  const [row] = await connection.rows<{ left: bigint }>('SELECT count(*) AS "left" FROM auth_user')
  await connection.close()
  if (Number(row?.left) !== users) throw new Error(`${row?.left} users are left, not ${users}`)
}
