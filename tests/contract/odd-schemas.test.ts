import { expect, test } from 'vitest'
import { planPurge } from '../../src/users/purge/plan.ts'
import { criteria } from '../support/criteria.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { expectRoundTrip } from '../support/round-trip.ts'
import { createSite, insert } from '../support/sites.ts'
import { addUser } from '../support/users.ts'

const SITE = 'django5.2-allauth65'
const user = (more = '') => `integer references auth_user (id) ${more}`

describeEachDatabase('tables and columns may be called as they like', (harness) => {
  test.each(['candidate', 'counted', 'found', 'doomed_0', 'gone', 'here', 'above', 'parent', 'ring'])(
    'a table: %s',
    async (name) => {
      const site = await createSite(
        harness,
        SITE,
        `create table ${name} (id {key}, user_id ${user('on delete cascade')},
           parent_id integer references ${name} (id) on delete set null);
         create table remark (id {key}, ${name}_id integer references ${name} (id));`,
      )
      const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
      const [bot, writer] = [await addUser(site), await addUser(site)]
      const first = await insert(site, name, { user_id: bot, parent_id: null })
      await insert(site, name, { user_id: kept, parent_id: first })
      await insert(site, name, { user_id: bot, parent_id: first })
      await insert(site, 'remark', {
        [`${name}_id`]: await insert(site, name, { user_id: writer, parent_id: null }),
      })
      const plan = await expectRoundTrip(site)
      expect(plan).toMatchObject({
        toDelete: 1,
        kept: { content: 1 },
        tables: { [name]: 2 },
        nulled: { [`${name}.parent_id`]: 1 },
      })
    },
  )

  test('a column that is referred to: owner', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table account (owner varchar(20) primary key, user_id ${user()});
       create table note (id {key}, owner varchar(20) references account (owner));`,
    )
    for (const name of ['one', 'two'])
      await insert(site, 'account', { owner: name, user_id: await addUser(site) })
    await insert(site, 'note', { owner: 'one' })
    const plan = await planPurge(site, criteria({ rules: { cascade: ['account'] } }))
    expect(plan).toMatchObject({ toDelete: 1, kept: { content: 1 } })
  })
})

describeEachDatabase('what a user refers to with the own row', (harness) => {
  test.each(['', 'on delete set null', 'on delete set default', 'on delete cascade'])(
    'a profile of theirs, %s: comes back with the reference',
    async (action) => {
      const site = await createSite(
        harness,
        SITE,
        `create table profile (id {key}, user_id ${user()});
         alter table auth_user add column main_id integer references profile (id) ${action} deferrable initially deferred;`,
      )
      const bot = await addUser(site)
      const profile = await insert(site, 'profile', { user_id: bot })
      await site.database.run(`update auth_user set main_id = ${profile} where id = ${bot}`)
      const plan = await expectRoundTrip(site, { cascade: ['profile'] })
      expect(plan.tables).toMatchObject({ profile: 1, auth_user: 1 })
    },
  )
})
