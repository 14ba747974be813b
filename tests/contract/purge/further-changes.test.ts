import { expect, test } from 'vitest'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { purgePlanned } from '../../support/archives.ts'
import { criteria } from '../../support/criteria.ts'
import { describeEachDatabase, type Harness } from '../../support/databases.ts'
import { directoryOfTest } from '../../support/directory.ts'
import { expectRoundTrip } from '../../support/round-trip.ts'
import { createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const SITE = 'django5.2-allauth65'
const user = (action: string) => `integer references auth_user (id) on delete ${action}`

/** The site as if nobody knew of the foreign keys of the table. */
function unawareOf(label: string, site: TestSite): TestSite {
  const { catalog } = site.shape
  const foreignKeys = catalog.foreignKeys.filter(({ table }) => table.label !== label)
  return { ...site, shape: { ...site.shape, catalog: { ...catalog, foreignKeys } } }
}

async function siteWithHidden(harness: Harness, action: string) {
  const site = await createSite(
    harness,
    SITE,
    `create table note (id {key}, user_id ${user('cascade')});
     create table hidden (id {key}, user_id ${user(action)});`,
  )
  const users = [await addUser(site), await addUser(site), await addUser(site), await addUser(site)]
  for (const key of users) await insert(site, 'note', { user_id: key })
  await insert(site, 'hidden', { user_id: users[2] ?? '' })
  return { site: unawareOf('hidden', site), guilty: users[2] }
}

describeEachDatabase('rows that the database deletes or changes, and nobody has found', (harness) => {
  for (const action of ['cascade', 'set null']) {
    test.each([true, false])(`on delete ${action}: the user stays, with an archive: %s`, async (archived) => {
      const { site, guilty } = await siteWithHidden(harness, action)
      const plan = await planPurge(site, criteria(), { batchSize: 1000 })
      expect(plan.toDelete).toBe(4)
      const { report } = archived
        ? await purgePlanned(await directoryOfTest(), site, criteria(), plan)
        : { report: await purge(site, criteria(), plan) }
      expect(report).toMatchObject({
        deleted: 3,
        tables: { note: 3, auth_user: 3 },
        failed: [
          {
            id: guilty,
            reason: 'the database would delete or change more rows than could be archived',
          },
        ],
        stopped: undefined,
      })
      expect(await rowsOf(site.db, 'hidden')).toMatchObject([{ user_id: guilty }])
    })
  }

  test('what a trigger changes besides keeps nobody', async () => {
    const count = 'update counter set notes = notes - 1'
    const site = await createSite(
      harness,
      SITE,
      `create table note (id {key}, user_id ${user('cascade')});
       create table counter (notes integer); insert into counter values (1);
       ${harness.pick({
         sqlite: `create trigger counted after delete on note begin ${count}; end`,
         postgres: `create function count_notes() returns trigger language plpgsql as 'begin ${count}; return old; end';
           create trigger counted after delete on note for each row execute function count_notes()`,
       })}`,
    )
    await insert(site, 'note', { user_id: await addUser(site) })
    const report = await purge(site, criteria(), await planPurge(site, criteria(), { batchSize: 1 }))
    expect(report).toMatchObject({ deleted: 1, failed: [] })
    expect(await rowsOf(site.db, 'counter')).toMatchObject([{ notes: '0' }])
  })

  test('what the database does to rows that go as well is no change more', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table note (id {key}, user_id ${user('cascade')}, editor_id ${user('set null')},
         parent_id integer references note (id) on delete set null,
         root_id integer references note (id) on delete cascade);`,
    )
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    const bots = [await addUser(site), await addUser(site)]
    for (const key of [...bots, ...bots]) {
      const root = await insert(site, 'note', { user_id: key, editor_id: key })
      const parent = await insert(site, 'note', { user_id: key, parent_id: root, root_id: root })
      await insert(site, 'note', { user_id: key, editor_id: bots[0] ?? '', parent_id: parent, root_id: root })
      await insert(site, 'note', { user_id: kept, editor_id: key, parent_id: parent })
    }
    for (const batchSize of [1000, 1]) await expectRoundTrip(site, {}, batchSize)
  })
})
