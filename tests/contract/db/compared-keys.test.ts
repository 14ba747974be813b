import { expect, test } from 'vitest'
import { tally } from '../../../src/users/list.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { purgeInto, putBack } from '../../support/archives.ts'
import { criteria } from '../../support/criteria.ts'
import { allauth } from '../../support/custom-sites.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { directoryOfTest } from '../../support/directory.ts'
import { expectRoundTrip } from '../../support/round-trip.ts'
import { createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const SITE = 'django5.2-allauth65'
/** Users of whom allauth knows a handle, and more columns of it. */
const handles = (collation: string, type: string) => `
  drop table account_emailconfirmation; drop table account_emailaddress;
  alter table login add column handle varchar(40) collate ${collation};
  create unique index login_handle on login (handle);
  ${allauth('login', 'handle', type)}
  create table socialaccount_socialaccount (id {key}, user_id ${type} references login (handle));`
const RECENTLY = '2026-06-02T00:00:00Z'
const GUARDED = criteria({ guards: { recentAfter: '2026-06-01T00:00:00Z', protect: ['dan@example.com'] } })

/** Adds one user for each guard that looks into another table, and one whom nothing keeps. */
async function addGuarded(site: TestSite, referring: (handle: string) => string): Promise<void> {
  for (const handle of ['amy', 'bob', 'cat', 'dan', 'eve']) {
    await addUser(site, { addresses: [], columns: { handle } })
    await insert(site, 'account_emailaddress', {
      id: handle.charCodeAt(0),
      user_id: referring(handle),
      email: `${handle}@example.com`,
      primary: true,
    })
  }
  await insert(site, 'account_emailaddress', { user_id: referring('amy'), email: 'a@b.cd', verified: true })
  await insert(site, 'socialaccount_socialaccount', { user_id: referring('bob') })
  const email_address_id = 'cat'.charCodeAt(0)
  await insert(site, 'account_emailconfirmation', { email_address_id, created: RECENTLY, sent: RECENTLY })
}

/** Expects that listing and planning keep all but one, page by page and all at once, and that one goes. */
async function expectGuards(site: TestSite): Promise<void> {
  const kept = { 'verified-address': 1, social: 1, recent: 1, protected: 1 }
  expect(await tally(site, GUARDED)).toEqual({ matched: 5, deletable: 1, kept })
  const plan = await planPurge(site, GUARDED, { batchSize: 1000 })
  expect(plan).toMatchObject({ matched: 5, toDelete: 1, kept })
  expect(await purge(site, GUARDED, plan)).toMatchObject({ deleted: 1, failed: [] })
  const left = await rowsOf(site.db, 'login')
  expect(left.map(({ handle }) => handle)).toEqual(['amy', 'bob', 'cat', 'dan'])
}

const user = (more = '') => `integer references auth_user (id) ${more}`

// PostgreSQL 18 has no such keys.
describeDatabase('sqlite', 'a foreign key of which one column takes no notice of case', (harness) => {
  test('the referenced one takes no notice of case: whatever goes with it comes back', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table place (code varchar(9) collate nocase primary key, user_id ${user('on delete cascade')});
       create table visit (id {key}, code varchar(9) collate binary references place (code) on delete cascade);
       create table tip (id {key}, code varchar(9) references place (code) on delete set null);`,
    )
    await insert(site, 'place', { code: 'Abc', user_id: await addUser(site) })
    await insert(site, 'visit', { code: 'aBC' })
    await insert(site, 'tip', { code: 'ABC' })
    const plan = await expectRoundTrip(site)
    expect(plan).toMatchObject({ tables: { place: 1, visit: 1 }, nulled: { 'tip.code': 1 } })
  })

  test('only the referencing one takes no notice of case: what belongs to others stays', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table place (code varchar(9) primary key, user_id ${user()});
       create table visit (id {key}, code varchar(9) collate nocase references place (code));`,
    )
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await insert(site, 'place', { code: 'ABC', user_id: kept })
    await insert(site, 'place', { code: 'abc', user_id: await addUser(site) })
    const visit = await insert(site, 'visit', { code: 'ABC' })
    const all = criteria({ rules: { cascade: ['place', 'visit'] } })
    const plan = await planPurge(site, all, { batchSize: 1000 })
    expect(plan.tables).not.toHaveProperty('visit')
    await purge(site, all, plan)
    expect(await rowsOf(site.db, 'visit')).toMatchObject([{ id: visit, code: 'ABC' }])
  })

  test('who keeps a user, and who does not', async () => {
    const site = await createSite(
      harness,
      'custom-handle',
      `create table post (id {key}, author varchar(40) collate nocase references person (handle));
       create table remark (id {key}, author varchar(40) collate nocase references person (handle));
       create index remark_author on remark (author);`,
    )
    for (const handle of ['one', 'ONE', 'two', 'TWO']) await addUser(site, { columns: { handle } })
    await insert(site, 'post', { author: 'ONE' })
    await insert(site, 'remark', { author: 'TWO' })
    const plan = await planPurge(site, criteria(), { batchSize: 1000 })
    expect(plan).toMatchObject({ matched: 4, toDelete: 2, kept: { content: 2 } })
  })

  test('the one of the users takes no notice of case: every guard sees what is theirs', async () => {
    const site = await createSite(harness, 'custom-bare', handles('nocase', 'varchar(40) collate binary'))
    await addGuarded(site, (handle) => handle.toUpperCase())
    await expectGuards(site)
  })

  test('in a ring', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table place (code varchar(9) collate nocase primary key, user_id ${user('on delete cascade')});
       create table room (name varchar(9) collate binary primary key,
         code varchar(9) collate binary references place (code) on delete cascade);
       alter table place add column room varchar(9) collate nocase references room (name) on delete cascade;`,
    )
    await insert(site, 'place', { code: 'Abc', user_id: await addUser(site) })
    await insert(site, 'room', { name: 'hall', code: 'aBC' })
    await insert(site, 'room', { name: 'HALL', code: null })
    await insert(site, 'place', { code: 'next', user_id: null, room: 'hall' })
    await insert(site, 'place', { code: 'other', user_id: null, room: 'HALL' })
    const plan = await planPurge(site, criteria(), { batchSize: 1000 })
    expect(plan.tables).toMatchObject({ place: 2, room: 1 })
  })
})

describeEachDatabase('a foreign key between two collations, none of them the ordinary one', (harness) => {
  const [one, other] = harness.pick({ sqlite: ['rtrim', 'nocase'], postgres: ['"POSIX"', '"und-x-icu"'] })

  test('what hangs on the row goes with it, and comes back', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table place (code text collate ${one} primary key, user_id ${user('on delete cascade')});
       create table visit (id {key}, code text collate ${other} references place (code) on delete cascade);
       create table tip (id {key}, code text collate ${other} references place (code) on delete set null);`,
    )
    await insert(site, 'place', { code: 'a', user_id: await addUser(site) })
    await insert(site, 'visit', { code: 'a' })
    await insert(site, 'tip', { code: 'a' })
    const plan = await expectRoundTrip(site)
    expect(plan).toMatchObject({ tables: { place: 1, visit: 1 }, nulled: { 'tip.code': 1 } })
  })

  test('in a ring', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table place (code text collate ${one} primary key, user_id ${user('on delete cascade')});
       create table room (name text collate ${other} primary key,
         code text collate ${other} references place (code) on delete cascade);
       alter table place add column room text collate ${one} references room (name) on delete cascade;`,
    )
    await insert(site, 'place', { code: 'a', user_id: await addUser(site) })
    await insert(site, 'room', { name: 'hall', code: 'a' })
    await insert(site, 'place', { code: 'b', user_id: null, room: 'hall' })
    const plan = await expectRoundTrip(site)
    expect(plan.tables).toMatchObject({ place: 2, room: 1 })
  })

  test('every guard sees what is of the users', async () => {
    const site = await createSite(harness, 'custom-bare', handles(one, `varchar(40) collate ${other}`))
    await addGuarded(site, (handle) => handle)
    await expectGuards(site)
  })

  test('rows keep their users', async () => {
    const site = await createSite(
      harness,
      'custom-handle',
      `alter table person add column code varchar(40) collate ${one};
       create unique index person_code on person (code);
       create table post (id {key}, author varchar(40) collate ${other} references person (code));
       create table remark (id {key}, author varchar(40) collate ${other} references person (code));
       create index remark_author on remark (author);`,
    )
    for (const code of ['one', 'two', 'three']) await addUser(site, { columns: { code } })
    await insert(site, 'post', { author: 'one' })
    await insert(site, 'remark', { author: 'two' })
    const plan = await planPurge(site, criteria(), { batchSize: 1000 })
    expect(plan).toMatchObject({ matched: 3, toDelete: 1, kept: { content: 2 } })
  })
})

describeDatabase('sqlite', 'a foreign key whose columns have not the same type', (harness) => {
  test.each(['text', 'varchar(20)', ''])('%s onto the integer key of the users', async (type) => {
    const site = await createSite(
      harness,
      SITE,
      `create table log (id {key}, user_id ${type} references auth_user (id) on delete cascade);
       create table line (id {key}, log_id ${type} references log (id) on delete cascade);
       create table vote (id {key}, user_id ${type} references auth_user (id) on delete set null);
       create table post (id {key}, user_id ${type} references auth_user (id));`,
    )
    const [bot, writer] = [await addUser(site), await addUser(site)]
    await site.database.run(`
      insert into log values (9, '${bot}'); insert into line values (1, '9'); insert into vote values (1, '${bot}');
      insert into post values (1, '${writer}')`)
    const plan = await expectRoundTrip(site)
    expect(plan).toMatchObject({
      toDelete: 1,
      kept: { content: 1 },
      tables: { log: 1, line: 1 },
      nulled: { 'vote.user_id': 1 },
    })
  })

  const TYPES = ['integer', 'numeric', '']

  /** Has a user who is not the one that 7 means. */
  async function scoredSite(type: string, more = '') {
    const site = await createSite(
      harness,
      SITE,
      `create table score (id {key}, player ${type} references auth_user (username) ${more});
       create index score_player on score (player);`,
    )
    await addUser(site, { username: '007' })
    return site
  }

  test.each(TYPES)('%s onto a text that looks like a number: what belongs to others stays', async (type) => {
    const site = await scoredSite(type, 'on delete cascade')
    await addUser(site, { username: '7', lastLogin: '2024-01-01T00:00:00Z' })
    await site.database.run('insert into score values (1, 7)')
    const plan = await planPurge(site, criteria(), { batchSize: 1000 })
    expect(plan).toMatchObject({ matched: 1 })
    expect(plan.tables).not.toHaveProperty('score')
    // SQLite itself lets nobody go whose name is the same number.
    const { failed } = await purge(site, criteria(), plan)
    expect(failed).toHaveLength(type === '' ? 0 : 1)
    expect(await rowsOf(site.db, 'score')).toMatchObject([{ player: '7' }])
  })

  test.each(TYPES)('%s onto a text that looks like a number: who is kept', async (type) => {
    const site = await scoredSite(type)
    for (const username of ['7', 'other']) await addUser(site, { username })
    await site.database.run('insert into score values (1, 7)')
    const plan = await planPurge(site, criteria(), { batchSize: 1000 })
    expect(plan).toMatchObject({ matched: 3, toDelete: 2, kept: { content: 1 } })
  })

  test.each(TYPES)('%s onto a text that looks like a number: what goes comes back', async (type) => {
    const site = await createSite(
      harness,
      SITE,
      `create table score (id {key}, player ${type} references auth_user (username) on delete cascade);
       create table prize (id {key}, player ${type} references auth_user (username) on delete set null);`,
    )
    await addUser(site, { username: '7' })
    await site.database.run(`insert into score values (1, 7); insert into score values (2, '7');
      insert into prize values (1, 7)`)
    const plan = await expectRoundTrip(site)
    expect(plan).toMatchObject({ toDelete: 1, tables: { score: 2 }, nulled: { 'prize.player': 1 } })
  })

  test('a child with a number for the text of its parent takes only that', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table place (code text primary key, title text);
       create table bar (place_ptr_id integer primary key references place (code), user_id ${user('on delete cascade')});`,
    )
    await site.database.run(`insert into place (code) values ('01'), ('1');
      insert into bar values (1, ${await addUser(site)})`)
    const plan = await expectRoundTrip(site)
    expect(plan.tables).toMatchObject({ bar: 1, place: 1 })
  })

  test('nothing goes to somebody who has the id by now', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table log (id {key}, user_id text references auth_user (id) on delete cascade);
       create table vote (id {key}, user_id text references auth_user (id) on delete set null);`,
    )
    const bot = await addUser(site)
    await site.database.run(`insert into log values (1, '${bot}'); insert into vote values (1, '${bot}')`)
    const { path } = await purgeInto(await directoryOfTest(), site)
    await addUser(site, { columns: { id: bot }, dateJoined: '2026-01-01T00:00:00Z' })
    expect((await putBack(site, path)).failed).toHaveLength(1)
    expect(await rowsOf(site.db, 'log')).toEqual([])
    expect(await rowsOf(site.db, 'vote')).toMatchObject([{ user_id: null }])
  })
})
