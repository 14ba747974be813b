import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/package-root.ts'
import type { DatabaseKind } from '../support/databases.ts'
import { measureListing, measurePlanning } from './look.ts'
import { measureMail } from './mail.ts'
import { peersHere } from './peers.ts'
import { measurePurge } from './purge.ts'
import { Report } from './report.ts'
import type { Section } from './section.ts'
import { SiteDatabases } from './site-databases.ts'
import { measureStartUp } from './start-up.ts'

const USAGE = `npm run bench -- [--users N] [--only NAME]... [--repeat N]
  --users N   the size of the site (1000000)
  --only NAME sqlite, postgres, start, list, plan, purge, mail; any of them (all)
  --repeat N  how often each contender runs; the median counts (1)
`

const KINDS: readonly DatabaseKind[] = ['sqlite', 'postgres']

/** In this order on each database. */
const SECTIONS: Readonly<Record<string, Section>> = {
  start: measureStartUp,
  list: measureListing,
  plan: measurePlanning,
  purge: measurePurge,
  mail: measureMail,
}

const RESULTS = fileURLToPath(new URL('.cache/bench/results', packageRoot()))

interface Options {
  readonly users: number
  readonly repeat: number
  readonly kinds: readonly DatabaseKind[]
  readonly sections: readonly string[]
}

function optionsFrom(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      users: { type: 'string', default: '1000000' },
      repeat: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true, default: [] },
    },
  })
  const [users, repeat] = [Number(values.users), Number(values.repeat)]
  const known = [...KINDS, ...Object.keys(SECTIONS)]
  const isUnderstood = values.only.every((name) => known.includes(name)) && users >= 1_000 && repeat >= 1
  if (!isUnderstood) return undefined
  const chosen = <T extends string>(all: readonly T[]) => {
    const some = all.filter((name) => values.only.includes(name))
    return some.length > 0 ? some : all
  }
  return { users, repeat, kinds: chosen(KINDS), sections: chosen(Object.keys(SECTIONS)) }
}

async function run({ users, repeat, kinds, sections }: Options): Promise<Report> {
  const report = new Report()
  const peers = await peersHere()
  for (const kind of kinds) {
    const databases = await SiteDatabases.open(kind, peers.django)
    try {
      report.version(await databases.version())
      for (const name of sections) await SECTIONS[name]?.({ databases, peers, report, users, repeat })
    } finally {
      await databases.close()
    }
  }
  return report
}

const options = optionsFrom(process.argv.slice(2))
if (options) {
  const report = await run(options)
  process.stdout.write(`\n${report.text()}\n${await report.save(RESULTS, options)}\n`)
} else {
  process.stderr.write(USAGE)
  process.exitCode = 2
}
