import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect } from 'vitest'
import type { Harness } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { allRowsOf, rowsOf, type TestSite } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

let root: string
withDirectory(beforeAll, (path) => {
  root = path
})

/** Plans that the users 2, 3 and 4 go, and returns what runs commands where the plan is. */
export async function plannedSite(harness: Harness) {
  const site = await exampleSite(harness)
  const cwd = await mkdtemp(join(root, 'here-'))
  const run = (args: string) => usermgmt(args.split(' '), { env: { DATABASE_URL: site.url }, cwd })
  const before = await allRowsOf(site.db)
  const made = await run('purge --since 2020-01-01 --cascade blog_post --plan-out plan.ndjson')
  expect(await allRowsOf(site.db)).toEqual(before)
  return { site, cwd, run, made, file: join(cwd, 'plan.ndjson'), before }
}

export async function idsIn(site: TestSite): Promise<unknown[]> {
  return (await rowsOf(site.db, 'auth_user')).map((user) => user.id)
}
