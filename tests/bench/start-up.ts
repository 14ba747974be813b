import { CUTOFF } from './crowd.ts'
import { type Command, timed } from './measure.ts'
import type { Bench } from './section.ts'
import { BIN, usermgmt } from './site-databases.ts'

const RUNS = 25
const USERS = 1_000

/** How long the command takes to start, against Node with nothing to do; they take turns. */
export async function measureStartUp({ databases, report }: Bench): Promise<void> {
  if (databases.kind !== 'sqlite') return
  const database = await databases.withCrowd(USERS)
  const onlyVersion: Command = { program: process.execPath, args: [BIN, '--version'] }
  const nothing: Command = { program: process.execPath, args: ['-e', '0'] }
  const contenders = [
    { what: 'node -e 0', command: nothing },
    { what: '--version', command: onlyVersion, atMost: 1.25 },
    {
      what: 'list-unverified',
      command: usermgmt(database.url, 'list-unverified', '--since', CUTOFF),
      atMost: 1.7,
    },
  ].map((contender) => ({ ...contender, seconds: [] as number[] }))
  for (let run = 0; run < RUNS; run++) {
    for (const { command, seconds } of contenders) seconds.push((await timed(command)).seconds)
  }
  const [bare = Number.NaN, ...others] = contenders.map(({ what, seconds }) =>
    report.figure({ database: 'sqlite', users: USERS, what, seconds }),
  )
  for (const [i, { what, atMost }] of contenders.slice(1).entries()) {
    const reached = (others[i] ?? Number.NaN) / bare
    report.goal({ database: 'sqlite', what: `${what} to node -e 0`, limit: { atMost: atMost ?? 0 }, reached })
  }
  await database.drop()
}
