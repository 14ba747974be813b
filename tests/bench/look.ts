import { CUTOFF } from './crowd.ts'
import { type Command, timed } from './measure.ts'
import { clientCount, clientListing, clientPlan } from './peers.ts'
import type { Bench } from './section.ts'
import { type SiteDatabase, usermgmt } from './site-databases.ts'

/** Lists the candidates, against the same SQL in the database's own client. */
export async function measureListing(bench: Bench): Promise<void> {
  await against(bench, {
    ours: ({ url }) =>
      usermgmt(url, 'list-unverified', '--since', CUTOFF, '--format', 'ndjson', '--quiet', '--grace', '0'),
    theirs: clientListing,
    what: 'list-unverified --format ndjson',
    peer: 'the same SQL',
    atMost: 1.5,
  })
}

/** Plans a purge, against one statement that counts the same, and against one that only counts the candidates. */
export async function measurePlanning(bench: Bench): Promise<void> {
  const planning = ({ url }: SiteDatabase) =>
    usermgmt(url, 'purge', '--since', CUTOFF, '--dry-run', '--quiet')
  await against(bench, {
    ours: planning,
    theirs: clientPlan,
    what: 'purge --dry-run',
    peer: 'one SQL statement that counts the same',
    atMost: 2,
  })
  await against(bench, {
    ours: planning,
    theirs: clientCount,
    what: 'purge --dry-run',
    peer: 'a count of the candidates alone',
    atMost: 2,
  })
}

interface Contest {
  readonly ours: (database: SiteDatabase) => Command
  readonly theirs: (database: SiteDatabase) => Command
  readonly what: string
  readonly peer: string
  readonly atMost: number
}

/** They take turns on one database: neither changes it. */
async function against(bench: Bench, { ours, theirs, what, peer, atMost }: Contest): Promise<void> {
  const { databases, peers, report, users, repeat } = bench
  const { kind } = databases
  const client = kind === 'sqlite' ? 'sqlite3' : 'psql'
  const database = await databases.withCrowd(users)
  const runs: { ours: number[]; theirs: number[]; peak: number } = { ours: [], theirs: [], peak: 0 }
  // The first one of all reads the database into memory.
  await timed(ours(database))
  for (let run = 0; run < Math.max(repeat, 3); run++) {
    if (peers[client]) runs.theirs.push((await timed(theirs(database))).seconds)
    const { seconds, peakMegabytes = 0 } = await timed(ours(database))
    runs.ours.push(seconds)
    runs.peak = Math.max(runs.peak, peakMegabytes)
  }
  await database.drop()
  const peakMegabytes = runs.peak || undefined
  const own = report.figure({ database: kind, users, what, seconds: runs.ours, peakMegabytes, worked: users })
  const limit = { atMost }
  const goal = `${what} to ${peer} in ${client}`
  if (!peers[client]) {
    report.goal({ database: kind, what: goal, limit, reached: undefined, note: `skipped: no ${client}` })
    return
  }
  const other = report.figure({
    database: kind,
    users,
    what: `${peer} in ${client}`,
    seconds: runs.theirs,
    worked: users,
  })
  report.goal({ database: kind, what: goal, limit, reached: own / other })
}
