import { beforeEach, describe, expect, test } from 'vitest'
import { purgeInto, putBack } from '../../support/archives.ts'
import { NO_GUARDS } from '../../support/criteria.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const SITE = 'django5.2-allauth65'
const owner = 'integer not null references auth_user (id) deferrable initially deferred'
const user = (more = '') => `integer references auth_user (id) ${more}`
const TABLES = (deferrable: string) => `
  alter table auth_user add column referrer_id ${user(deferrable)};
  create index auth_user_referrer on auth_user (referrer_id);
  create table task (id {key}, owner_id ${user(deferrable)}, reviewer_id ${user(deferrable)}, body text);
  create index task_owner on task (owner_id);
  create index task_reviewer on task (reviewer_id);
  create table remark (id {key}, author_id ${user(deferrable)}, answers_id integer references remark (id) ${deferrable});
  create index remark_author on remark (author_id);
  create index remark_answers on remark (answers_id);`

const PURGE = {
  rules: {
    cascade: ['task.owner_id', 'remark'],
    setNull: ['auth_user.referrer_id', 'task.reviewer_id'],
  },
  guards: NO_GUARDS,
  size: 1_000,
}

const without = (column: string) =>
  `put back without ${column}: what it referred to is not there, or somebody else's by now`

/** Two users: the second was referred, and is reviewed, by the first. */
async function siteOfTwo(site: TestSite): Promise<{ site: TestSite; first: string; second: string }> {
  const [first, second] = [await addUser(site), await addUser(site)]
  await site.database.run(`update auth_user set referrer_id = ${first} where id = ${second}`)
  await insert(site, 'task', { owner_id: second, reviewer_id: first, body: 'mine' })
  return { site, first, second }
}

describeEachDatabase('a reference that the purge was to set to NULL', (harness) => {
  describe.each(['', 'deferrable initially deferred'])('with foreign keys %j', (deferrable) => {
    const create = async () => siteOfTwo(await createSite(harness, SITE, TABLES(deferrable)))

    test('keeps nobody out who comes back without the user it refers to', async () => {
      const { site, first, second } = await create()
      const before = await allRowsOf(site.db)
      const { path } = await purgeInto(directory, site, PURGE)
      const failed = [
        { user: second, table: 'auth_user', reason: without('referrer_id') },
        { user: second, table: 'task', reason: without('reviewer_id') },
      ]
      for (const dryRun of [true, false]) {
        const report = await putBack(site, path, { users: [second], dryRun })
        expect(report.restored).toEqual({ auth_user: 1, account_emailaddress: 1, task: 1 })
        expect(report.failed).toHaveLength(2)
        expect(report.failed).toEqual(expect.arrayContaining(failed))
      }
      expect(await rowsOf(site.db, 'task')).toMatchObject([{ reviewer_id: null, body: 'mine' }])
      const again = await putBack(site, path, { users: [second] })
      expect(again).toMatchObject({ restored: {}, relinked: {}, skipped: 3 })
      expect(again.failed).toEqual(expect.arrayContaining(failed))
      for (const dryRun of [true, false]) {
        expect(await putBack(site, path, { users: [first], dryRun })).toMatchObject({
          restored: { auth_user: 1, account_emailaddress: 1 },
          relinked: { auth_user: 1, task: 1 },
          failed: [],
        })
      }
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test('is left out when somebody else has the id by now, and nothing else is', async () => {
      const { site, first, second } = await create()
      const { path } = await purgeInto(directory, site, PURGE)
      await addUser(site, {
        dateJoined: '2026-01-01T00:00:00Z',
        lastLogin: '2026-01-01T00:00:00Z',
        columns: { id: first },
      })
      for (const dryRun of [true, false]) {
        const report = await putBack(site, path, { dryRun })
        expect(report.restored).toEqual({ auth_user: 1, account_emailaddress: 1, task: 1 })
        expect(report.failed).toEqual(
          expect.arrayContaining([
            { user: second, table: 'auth_user', reason: without('referrer_id') },
            { user: second, table: 'task', reason: without('reviewer_id') },
          ]),
        )
      }
      expect(await rowsOf(site.db, 'task')).toMatchObject([{ owner_id: second, reviewer_id: null }])
      const referrers = (await rowsOf(site.db, 'auth_user')).map(({ referrer_id }) => referrer_id)
      expect(referrers).toEqual([null, null])
    })
  })
})

describeEachDatabase('references that come back in steps', (harness) => {
  const DEFERRED = 'deferrable initially deferred'

  test.each([
    [1, 'first', 'second'],
    [1, 'second', 'first'],
    [1_000, 'first', 'second'],
    [1_000, 'second', 'first'],
  ] as const)('of users in batches of %i, the %s before the %s', async (size, one, other) => {
    const site = await createSite(harness, SITE, TABLES(DEFERRED))
    const users = { first: await addUser(site), second: await addUser(site) }
    await site.database.run(`update auth_user set referrer_id = ${users.second} where id = ${users.first};
      update auth_user set referrer_id = ${users.first} where id = ${users.second}`)
    const before = await allRowsOf(site.db)
    const { path } = await purgeInto(directory, site, { ...PURGE, size })
    expect((await putBack(site, path, { users: [users[one]] })).failed).not.toEqual([])
    expect(await putBack(site, path, { users: [users[other]] })).toMatchObject({ failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('in a table without a primary key, each in a row of its own', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table log (user_id ${owner}, reviewer_id ${user(DEFERRED)}, note text);`,
    )
    const [first, second, third] = [await addUser(site), await addUser(site), await addUser(site)]
    for (const reviewer_id of [second, third, second]) {
      await insert(site, 'log', { user_id: first, reviewer_id, note: 'same' })
    }
    const rows = async () => (await rowsOf(site.db, 'log')).map((row) => JSON.stringify(row)).sort()
    const before = await rows()
    const rules = { cascade: ['log.user_id'], setNull: ['log.reviewer_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size: 10 })
    const { failed } = await putBack(site, path, { users: [first] })
    expect(failed).toEqual(Array(3).fill({ user: first, table: 'log', reason: without('reviewer_id') }))
    expect((await putBack(site, path, { users: [first] })).failed).toEqual(failed)
    for (let times = 0; times < 2; times++) {
      expect(await putBack(site, path)).toMatchObject({ failed: [] })
      expect(await rows()).toEqual(before)
    }
  })

  test.each([
    [1, 'host', 'guest'],
    [1, 'guest', 'host'],
    [1_000, 'host', 'guest'],
    [1_000, 'guest', 'host'],
  ] as const)('of a row without a primary key: batches of %i, the %s before the %s', async (size, a, b) => {
    const site = await createSite(
      harness,
      SITE,
      `create table visit (host_id ${user()}, guest_id ${user()}, note text);`,
    )
    const [host, guest] = [await addUser(site), await addUser(site)]
    const reader = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await insert(site, 'visit', { host_id: host, guest_id: guest, note: 'same' })
    await insert(site, 'visit', { host_id: reader, guest_id: reader, note: 'same' })
    const before = await allRowsOf(site.db)
    const rules = { setNull: ['visit.host_id', 'visit.guest_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size })
    const users = { host, guest }
    const back = { restored: { auth_user: 1 }, relinked: { visit: 1 }, failed: [] }
    expect(await putBack(site, path, { users: [users[a]] })).toMatchObject(back)
    expect(await putBack(site, path, { users: [users[a]] })).toMatchObject({ relinked: {}, failed: [] })
    expect(await putBack(site, path, { users: [users[b]] })).toMatchObject(back)
    expect(await allRowsOf(site.db)).toEqual(before)
    expect(await putBack(site, path)).toMatchObject({ restored: {}, relinked: {}, failed: [] })
  })

  test.each([
    ['host', 'guest'],
    ['guest', 'host'],
  ] as const)('but not in a row that may be another, the %s before the %s', async (a, b) => {
    const site = await createSite(
      harness,
      SITE,
      `create table visit (host_id ${user()}, guest_id ${user()}, note text);`,
    )
    const users = { host: await addUser(site), guest: await addUser(site) }
    const reader = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await insert(site, 'visit', { host_id: null, guest_id: reader, note: 'same' })
    await insert(site, 'visit', { host_id: reader, guest_id: null, note: 'same' })
    await insert(site, 'visit', { host_id: users.host, guest_id: users.guest, note: 'same' })
    const readers = async () => {
      const visits = await rowsOf(site.db, 'visit')
      return visits.filter((visit) => Object.values(visit).includes(reader))
    }
    expect(await readers()).toHaveLength(2)
    const before = await readers()
    const rules = { setNull: ['visit.host_id', 'visit.guest_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS })
    for (const one of [a, b]) await putBack(site, path, { users: [users[one]] })
    expect(await readers()).toEqual(before)
  })

  test('in a table without a primary key, save one that is somebody else’s by now', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table log (user_id ${owner}, reviewer_id ${user(DEFERRED)}, note text);`,
    )
    const [first, second, third] = [await addUser(site), await addUser(site), await addUser(site)]
    for (const reviewer_id of [second, third])
      await insert(site, 'log', { user_id: first, reviewer_id, note: 'same' })
    const rules = { cascade: ['log.user_id'], setNull: ['log.reviewer_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size: 10 })
    await addUser(site, {
      dateJoined: '2026-01-01T00:00:00Z',
      lastLogin: '2026-01-01T00:00:00Z',
      columns: { id: second },
    })
    const lost = { user: first, table: 'log', reason: without('reviewer_id') }
    for (let times = 0; times < 2; times++) {
      expect((await putBack(site, path)).failed).toContainEqual(lost)
      const reviewers = (await rowsOf(site.db, 'log')).map(({ reviewer_id }) => reviewer_id)
      expect(new Set(reviewers)).toEqual(new Set([null, third]))
      expect(reviewers).toHaveLength(2)
    }
  })

  test('when two of them share a column', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table seat (row_no integer, no integer, user_id ${owner}, primary key (row_no, no));
       create index seat_user on seat (user_id);
       create table swap (id {key}, user_id ${owner}, row_no integer, gives integer, takes integer,
         foreign key (row_no, gives) references seat (row_no, no),
         foreign key (row_no, takes) references seat (row_no, no));
       create index swap_user on swap (user_id);`,
    )
    const [first, second, third] = [await addUser(site), await addUser(site), await addUser(site)]
    await site.database.run(`insert into seat values (1, 1, ${first}), (1, 2, ${second})`)
    await insert(site, 'swap', { user_id: third, row_no: '1', gives: '1', takes: '2' })
    const before = await allRowsOf(site.db)
    const rules = { cascade: ['seat', 'swap.user_id'], setNull: ['swap.gives', 'swap.takes'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size: 10 })
    for (const key of [third, second, first]) await putBack(site, path, { users: [key] })
    expect(await putBack(site, path)).toMatchObject({ failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('again, when the site has emptied one since', async () => {
    const { site, first, second } = await siteOfTwo(await createSite(harness, SITE, TABLES(DEFERRED)))
    const { path } = await purgeInto(directory, site, { ...PURGE, size: 1 })
    await putBack(site, path)
    await site.database.run("update task set reviewer_id = null, body = 'new'")
    expect(await putBack(site, path)).toMatchObject({ relinked: { task: 1 }, failed: [] })
    expect(await rowsOf(site.db, 'task')).toMatchObject([
      { owner_id: second, reviewer_id: first, body: 'new' },
    ])
  })

  test.each([1, 1000])('of users whom only their addresses tell apart, %i in a batch', async (size) => {
    const site = await createSite(
      harness,
      'custom-bare',
      `alter table login add column referrer_id integer references login (id) ${DEFERRED};
       create index login_referrer on login (referrer_id);`,
    )
    const [first, second] = [await addUser(site), await addUser(site)]
    await site.database.run(`update login set referrer_id = ${first} where id = ${second}`)
    const before = await allRowsOf(site.db)
    const rules = { setNull: ['login.referrer_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size })
    await putBack(site, path, { users: [second] })
    for (let times = 0; times < 2; times++) {
      expect(await putBack(site, path)).toMatchObject({ failed: [] })
      expect(await allRowsOf(site.db)).toEqual(before)
    }
  })

  test('in a part of an object that does not say whose it is', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table page (id {key}, title text, reviewer_id ${user(DEFERRED)});
       create index page_reviewer on page (reviewer_id);
       create table article (page_ptr_id integer primary key references page (id) ${DEFERRED}, author_id ${user(DEFERRED)});
       create index article_author on article (author_id);`,
    )
    const [reviewer, author] = [await addUser(site), await addUser(site)]
    const page = await insert(site, 'page', { title: 'mine', reviewer_id: reviewer })
    await insert(site, 'article', { page_ptr_id: page, author_id: author })
    const before = await allRowsOf(site.db)
    const rules = { cascade: ['article'], setNull: ['page.reviewer_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size: 1 })
    for (let times = 0; times < 2; times++) {
      expect(await putBack(site, path)).toMatchObject({ failed: [] })
      expect(await allRowsOf(site.db)).toEqual(before)
    }
  })

  test('but for one that is somebody else’s by now, who may be the only one', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table pupil (user_id integer primary key references auth_user (id) ${DEFERRED},
         mentor_id integer unique references auth_user (id) ${DEFERRED});`,
    )
    const [pupil, mentor] = [await addUser(site), await addUser(site)]
    const other = await addUser(site, { lastLogin: '2026-01-01T00:00:00Z' })
    await insert(site, 'pupil', { user_id: pupil, mentor_id: mentor })
    const rules = { cascade: ['pupil.user_id'], setNull: ['pupil.mentor_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size: 10 })
    await putBack(site, path, { users: [mentor] })
    await insert(site, 'pupil', { user_id: other, mentor_id: mentor })
    expect(await putBack(site, path)).toMatchObject({
      restored: { auth_user: 1, account_emailaddress: 1, pupil: 1 },
      failed: [{ user: pupil, table: 'pupil', reason: without('mentor_id') }],
    })
    expect((await putBack(site, path)).failed).toEqual([
      { user: pupil, table: 'pupil', reason: 'taken already: pupil.mentor_id' },
    ])
  })
})
