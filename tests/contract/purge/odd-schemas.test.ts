import { expect, test } from 'vitest'
import { siteOf } from '../../../src/site/site.ts'
import { fingerprints } from '../../../src/users/fingerprint.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { purgeInto, putBack } from '../../support/archives.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { directoryOfTest } from '../../support/directory.ts'
import { expectRoundTrip } from '../../support/round-trip.ts'
import { allRowsOf, createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const SITE = 'django5.2-allauth65'
/** In one order: without a primary key, the database gives none. */
async function siteRows(site: TestSite) {
  const { event = [], ...others } = await allRowsOf(site.db)
  return { ...others, event: event.map((row) => JSON.stringify(row)).sort() }
}

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

describeDatabase('postgres', 'settings of a database that change what texts mean', (harness) => {
  const settings = {
    array_nulls: 'off',
    xmloption: 'document',
    standard_conforming_strings: 'off',
    quote_all_identifiers: 'on',
    transform_null_equals: 'on',
  }

  test('change nothing in what is selected, kept and put back', async () => {
    const made = await createSite(
      harness,
      'uuid-user',
      `create table note (id {key}, user_id uuid references cuser_user (id), words text[], markup xml);`,
    )
    const site = { ...made, ...(await siteOf(await made.database.open())) }
    const bot = await addUser(site, { email: 'bot@spam.example' })
    await addUser(site, { email: 'anna@kept.example' })
    await made.database.run(`insert into note (user_id, words, markup)
      values ('${bot}', array['a', null, 'NULL'], xmlparse(content 'a <b>bold</b> word'))`)
    for (const [name, value] of Object.entries(settings)) {
      await made.database.run(
        `do $$ begin execute format('alter database %I set ${name} = ${value}', current_database()); end $$`,
      )
    }
    const unlike = { ...made, ...(await siteOf(await made.database.open())) }
    const [shown] = await (await made.database.connect()).rows('show array_nulls')
    expect(shown).toEqual({ array_nulls: 'off' })
    const guards = { protect: ['@kept.example', '@no\\where_.example'] }
    expect(await planPurge(unlike, criteria({ rules: { cascade: ['note'] }, guards }))).toMatchObject({
      toDelete: 1,
      kept: { protected: 1 },
    })
    await made.database.run(
      `update account_emailaddress set verified = true where email = 'anna@kept.example'`,
    )
    const plan = await expectRoundTrip(unlike, { cascade: ['note'] })
    expect(plan.tables).toMatchObject({ note: 1, cuser_user: 1 })
  })
})

describeDatabase('postgres', 'a partitioned table without a primary key', (harness) => {
  const EVENTS = `create table event (user_id ${user()}, day integer not null) partition by list (day);
    create table event_1 partition of event for values in (1);
    create table event_2 partition of event for values in (2);`

  test('has rows that lie at the same place, and each is one of its own', async () => {
    const site = await createSite(
      harness,
      SITE,
      `${EVENTS} alter table event add column label text,
         add column seen_by ${user()}, add column said ${user()};`,
    )
    const [bot, other] = [await addUser(site), await addUser(site)]
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    const row = (label: string, user: string, day: number, seenBy: string, said: string) =>
      insert(site, 'event', { label, user_id: user, day, seen_by: seenBy, said })
    // In each partition the first row, then the second: one goes, the other one only loses a reference.
    await row('a', bot, 1, other, kept)
    await row('b', kept, 2, bot, bot)
    await row('c', kept, 1, kept, bot)
    await row('d', other, 2, other, bot)
    await row('d', other, 2, other, bot)
    const rules = { cascade: ['event.user_id'], setNull: ['event.seen_by', 'event.said'] }
    const before = await siteRows(site)
    const { path, report } = await purgeInto(await directoryOfTest(), site, { rules })
    expect(report).toMatchObject({
      failed: [],
      tables: { event: 3 },
      nulled: { 'event.seen_by': 1, 'event.said': 2 },
    })
    expect(await rowsOf(site.db, 'event')).toMatchObject([
      { label: 'c', user_id: kept, seen_by: kept, said: null },
      { label: 'b', user_id: kept, seen_by: null, said: null },
    ])
    expect(await putBack(site, path)).toMatchObject({ failed: [] })
    expect(await siteRows(site)).toEqual(before)
  })
})

describeDatabase('sqlite', 'a trigger that keeps a row, without a word', (harness) => {
  test('in a ring: the user is kept, and reported', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table post (id {key}, author_id ${user()}, parent_id integer references post (id));`,
    )
    const bot = await addUser(site)
    await insert(site, 'post', { author_id: bot, parent_id: null })
    await site.database.run(`create trigger keep before delete on post begin select raise(ignore); end`)
    const changed = await siteOf(site.db)
    const all = criteria({ rules: { cascade: ['post'] } })
    const report = await purge(changed, all, await planPurge(changed, all, { batchSize: 10 }))
    expect(report).toMatchObject({
      deleted: 0,
      failed: [{ id: bot, reason: expect.stringContaining('trigger') }],
    })
    expect(await site.db.$count(site.tables.emailAddresses)).toBe(1)
  })
})

describeEachDatabase('users who refer to users', (harness) => {
  test('have not changed when a purge has cleared the reference', async () => {
    const site = await createSite(
      harness,
      SITE,
      `alter table auth_user add column invited_by_id ${user('on delete set null')};`,
    )
    const [first, second] = [await addUser(site), await addUser(site)]
    await site.database.run(`update auth_user set invited_by_id = ${first} where id = ${second}`)
    const before = await fingerprints(site, [second])
    await site.database.run('update auth_user set invited_by_id = null')
    expect(await fingerprints(site, [second])).toEqual(before)
    await site.database.run(`update auth_user set first_name = 'Ada'`)
    expect(await fingerprints(site, [second])).not.toEqual(before)
  })
})

describeDatabase('postgres', 'users who refer to users of their tenant', (harness) => {
  test('have changed with the tenant, and not with the reference', async () => {
    const site = await createSite(
      harness,
      SITE,
      `alter table auth_user add column tenant integer default 1, add column manager_id integer;
       create unique index tenants on auth_user (tenant, id);
       alter table auth_user add foreign key (tenant, manager_id) references auth_user (tenant, id);`,
    )
    const key = await addUser(site)
    const before = await fingerprints(site, [key])
    await site.database.run('update auth_user set manager_id = id')
    expect(await fingerprints(site, [key])).toEqual(before)
    await site.database.run('update auth_user set manager_id = null, tenant = 7')
    expect(await fingerprints(site, [key])).not.toEqual(before)
  })
})
