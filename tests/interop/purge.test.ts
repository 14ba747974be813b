import { beforeAll, expect, test } from 'vitest'
import { usermgmt } from '../cli/run.ts'
import { withDirectory } from '../support/directory.ts'
import type { Deleted, Dump, Populated, Selected } from './answers.ts'
import { describeEachSite } from './each-database.ts'
import { djangoSite, type Site } from './site-runner.ts'

const CUTOFF = '2020-01-01T00:00:00Z'
const NOW = '2025-06-15T12:00:00Z'

/** Nothing but the selection keeps anybody, and the rules are those of the site's models. */
const LIKE_DJANGO = [
  ...['seen', 'staff', 'verified-address', 'social', 'deactivated'].flatMap((guard) => ['--include', guard]),
  ...['--grace', '0', '--cascade', '*'],
  ...['blog_post.editor_id', 'blog_page.owner_id'].flatMap((column) => ['--set-null', column]),
  ...['--since', CUTOFF, '--max-delete', '100%'],
]

let archives: string
withDirectory(beforeAll, (path) => {
  archives = path
})

async function answer<T>(site: Site, ...args: string[]): Promise<T> {
  const ran = await usermgmt(['--database', site.database, ...args, '--format', 'json'], { cwd: archives })
  expect(ran).toMatchObject({ exit: 0 })
  return JSON.parse(ran.stdout)
}

interface Report {
  readonly deleted: number
  readonly to_delete: number
  readonly archive: string
  readonly tables: Record<string, number>
}

describeEachSite('a purge without guards', (databases) => {
  let populated: string
  beforeAll(async () => {
    populated = await databases.migrated()
    await djangoSite({ database: populated }).ask<Populated>([
      ...['populate', '--cutoff', CUTOFF, '--now', NOW, '--bulk', '1500'],
    ])
  })

  test("leaves every table as Django's own delete() does, and restore puts every row back", async () => {
    const ours = djangoSite({ database: populated })
    const theirs = djangoSite({ database: await databases.copyOf(populated) })
    const [ids, before] = await theirs.askAll<[Selected, Dump]>([
      { args: ['select_unverified', '--cutoff', CUTOFF] },
      { args: ['dump_tables'] },
    ])
    const [django, expected] = await theirs.askAll<[Deleted, Dump]>([
      { args: ['delete_users'], stdin: ids },
      { args: ['dump_tables'] },
    ])

    const plan = await answer<Report>(ours, 'purge', ...LIKE_DJANGO, '--dry-run')
    const report = await answer<Report>(ours, 'purge', ...LIKE_DJANGO, '--yes')
    expect(await ours.ask<Dump>(['dump_tables'])).toEqual(expected)
    expect(report.deleted).toBe(ids.length)
    expect(nonZero(report.tables)).toEqual(django.tables)
    expect({ to_delete: plan.to_delete, tables: plan.tables }).toEqual({
      to_delete: report.deleted,
      tables: report.tables,
    })

    await answer(ours, 'restore', report.archive, '--yes')
    expect(await ours.ask<Dump>(['dump_tables'])).toEqual(before)
  })
})

function nonZero(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, rows]) => rows > 0))
}
