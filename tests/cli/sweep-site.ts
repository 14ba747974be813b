import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll } from 'vitest'
import type { Harness } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { siteIn } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

const DAY = 86_400_000
const START = new Date('2025-06-15T12:00:00Z')
export const POLICY = {
  since: '2020-01-01',
  remind_after: '7d',
  remind_again_after: '5d',
  max_reminders: 2,
  delete_after_reminder: '14d',
  max_delete: '100%',
}
const OUTBOX = { outbox: 'outbox' }

let root: string
withDirectory(beforeAll, (path) => {
  root = path
})

/** A site with the ledger, and a configuration file with a policy; `run` and `sweep` run so many days after the usual clock. */
export async function siteWithPolicy(harness: Harness, policy: object = POLICY, sending: object = OUTBOX) {
  const cwd = await mkdtemp(join(root, 'site-'))
  const { database, url } = await exampleSite(harness)
  await usermgmt(['migrate', '--database', url])
  const mail = { from: 'Forum <forum@site.example>', site_url: 'https://site.example/', ...sending }
  await writeFile(join(cwd, 'usermgmt.config.json'), JSON.stringify({ database: url, mail, policy }))
  const run = (days: number, ...args: string[]) =>
    usermgmt(args, {
      cwd,
      env: { USERMGMT_SECRET_KEY: 'the key of the site' },
      now: new Date(START.getTime() + days * DAY),
    })
  const sweep = (days: number, ...args: string[]) => run(days, 'sweep', ...args)
  return { site: await siteIn(database), run, sweep, cwd, outbox: join(cwd, 'outbox') }
}
