import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { jsonKeys } from '../support/readme.ts'
import { mailingSite } from './mailing.ts'
import { siteWithPolicy } from './sweep-site.ts'

const DOCUMENTED = jsonKeys()

/** Expects the keys that README names, in its order, and of those that are there at times the given ones. */
function expectKeys(command: string, printed: string, present: readonly string[] = []): void {
  const { always = [], sometimes = [] } = DOCUMENTED.get(command) ?? {}
  expect(always).not.toEqual([])
  expect(Object.keys(JSON.parse(printed))).toEqual([...always, ...present])
  expect(sometimes).toEqual(expect.arrayContaining([...present]))
}

describeEachDatabase("README's keys of JSON are those of", (harness) => {
  test('purge, restore and history', async () => {
    const { run, site } = await mailingSite(harness)
    const json = async (command: string) => (await run(`${command} --format json --quiet`)).stdout
    expectKeys('purge --dry-run', await json('purge --dry-run'), ['keeping'])
    await site.database.run(
      `drop index blog_post_author; create table hit (user_id integer); insert into hit values (3)`,
    )
    await site.database.run(site.db.dialect.name === 'sqlite' ? SQLITE_TRIGGER : POSTGRES_TRIGGER)
    const { sometimes = [] } = DOCUMENTED.get('purge --dry-run') ?? {}
    expectKeys('purge --dry-run', await json('purge --dry-run'), sometimes)
    const report = await json('purge --yes')
    expectKeys('purge', report)
    const restored = await json(`restore ${JSON.parse(report).archive} --yes`)
    expectKeys('restore', restored, ['triggers'])
    const [newest] = JSON.parse(await json('history'))
    expectKeys('history', JSON.stringify(newest))
  })

  test('email', async () => {
    const { email } = await mailingSite(harness)
    expectKeys('email --dry-run', (await email('--dry-run --format json')).stdout)
    expectKeys('email', (await email('--outbox outbox --yes --format json')).stdout)
  })

  test('sweep', async () => {
    const { sweep } = await siteWithPolicy(harness)
    expectKeys('sweep --dry-run', (await sweep(0, '--dry-run', '--format', 'json')).stdout)
    expectKeys('sweep', (await sweep(0, '--yes', '--format', 'json')).stdout)
  })
})

const SQLITE_TRIGGER = 'create trigger watch after delete on auth_user begin select 1; end'
const POSTGRES_TRIGGER = `create function watch() returns trigger language plpgsql as $$ begin return null; end $$;
  create trigger watch after delete on auth_user for each row execute function watch()`
