import { beforeEach, expect, test } from 'vitest'
import { purgeInto, putBack } from '../../support/archives.ts'
import { NO_GUARDS } from '../../support/criteria.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, insert, rowsOf } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const SITE = 'django5.2-allauth65'
const user = (more = '') => `integer references auth_user (id) ${more}`

describeEachDatabase('a row of two users', (harness) => {
  const FRIENDS = `create table friend (id {key}, one_id integer not null references auth_user (id),
      other_id integer not null references auth_user (id));
    create index friend_one on friend (one_id); create index friend_other on friend (other_id);
    create table letter (id {key}, friend_id integer not null references friend (id));
    create index letter_friend on letter (friend_id);
    create table mention (id {key}, friend_id integer references friend (id));
    create index mention_friend on mention (friend_id);`

  test.each([
    [1, 'one', 'other'],
    [1, 'other', 'one'],
    [1_000, 'one', 'other'],
    [1_000, 'other', 'one'],
  ] as const)('comes back with the last of them: batches of %i, the %s before the %s', async (size, a, b) => {
    const site = await createSite(harness, SITE, FRIENDS)
    const users = { one: await addUser(site), other: await addUser(site) }
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    const pair = await insert(site, 'friend', { one_id: users.one, other_id: users.other })
    for (const table of ['letter', 'mention']) await insert(site, table, { friend_id: pair })
    await insert(site, 'friend', { one_id: kept, other_id: users.other })
    const before = await allRowsOf(site.db)
    const rules = { cascade: ['friend', 'letter'], setNull: ['mention.friend_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size })
    const missing = 'a row it depends on is not there'
    const why = {
      friend: `${missing}: auth_user`,
      letter: `${missing}: friend`,
      mention: 'a row that it referred to is not there: friend',
    }
    const told = Object.entries(why).map(([table, reason]) => ({
      failed: { user: expect.anything(), table, reason },
      note: {
        user: expect.anything(),
        note: `what they share with somebody asked for, in ${table}: ${reason}`,
      },
    }))
    const asked = { users: [users[a]] }
    const report = await putBack(site, path, { ...asked, dryRun: true })
    expect(await putBack(site, path, asked)).toEqual(report)
    expect(report.failed).toEqual(report.notes.length > 0 ? [] : told.map(({ failed }) => failed))
    expect(report.notes).toEqual(report.failed.length > 0 ? [] : told.map(({ note }) => note))
    // In batches of one it is whose batch it is in; else the database's order of the keys tells.
    if (size === 1) expect(report.failed.length > 0).toBe(a === 'one')
    for (const dryRun of [true, false]) {
      expect(await putBack(site, path, { users: [users[b]], dryRun })).toMatchObject({
        restored: { auth_user: 1, letter: 1 },
        relinked: { mention: 1 },
        failed: [],
        notes: [],
      })
    }
    expect(await allRowsOf(site.db)).toEqual(before)
    expect(await putBack(site, path)).toMatchObject({ restored: {}, changed: 0, failed: [] })
  })
})

describeEachDatabase('a row that comes back', (harness) => {
  const DEFERRED = 'deferrable initially deferred'

  test('is not hung on a parent of multi-table inheritance that is another one by now', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table page (id {key}, title text);
       create table article (page_ptr_id integer primary key references page (id) ${DEFERRED}, author_id ${user(DEFERRED)});
       create index article_author on article (author_id);`,
    )
    const author = await addUser(site)
    const page = await insert(site, 'page', { title: 'mine' })
    await insert(site, 'article', { page_ptr_id: page, author_id: author })
    const { path, report } = await purgeInto(directory, site, {
      rules: { cascade: ['article'] },
      guards: NO_GUARDS,
    })
    expect(report.tables).toMatchObject({ page: 1, article: 1 })
    await insert(site, 'page', { id: page, title: 'another' })
    for (const dryRun of [true, false]) {
      const { restored, failed } = await putBack(site, path, { dryRun })
      expect(restored).toEqual({ auth_user: 1, account_emailaddress: 1 })
      expect(failed).toEqual([
        { user: author, table: 'page', reason: 'taken already: page.id' },
        { user: author, table: 'article', reason: "what it refers to is somebody else's by now: page" },
      ])
    }
    expect(await rowsOf(site.db, 'article')).toEqual([])
  })

  test('does not come back without its owner, whom a reference that is lost shares a column with', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table board (id integer primary key, user_id ${user(DEFERRED)}, no integer, unique (user_id, no));
       create table card (id {key}, user_id ${user(DEFERRED)}, no integer,
         foreign key (user_id, no) references board (user_id, no) ${DEFERRED});
       create index card_board on card (user_id, no);`,
    )
    const bot = await addUser(site)
    await insert(site, 'board', { id: '1', user_id: bot, no: '7' })
    await insert(site, 'card', { user_id: bot, no: '7' })
    const { path } = await purgeInto(directory, site, {
      rules: { cascade: ['board', 'card.user_id'], setNull: ['card.no'] },
      guards: NO_GUARDS,
    })
    const other = await addUser(site, { lastLogin: '2026-01-01T00:00:00Z' })
    await insert(site, 'board', { id: '1', user_id: other, no: '7' })
    const { restored, failed } = await putBack(site, path)
    expect(restored).toEqual({ auth_user: 1, account_emailaddress: 1 })
    expect(failed).toEqual([
      { user: bot, table: 'board', reason: 'taken already: board.id' },
      { user: bot, table: 'card', reason: "what it refers to is somebody else's by now: board" },
    ])
    expect(await rowsOf(site.db, 'card')).toEqual([])
  })

  test('of a user brings back nobody who referred to that user', async () => {
    const site = await createSite(
      harness,
      SITE,
      `alter table auth_user add column referrer_id ${user(DEFERRED)};
       create index auth_user_referrer on auth_user (referrer_id);`,
    )
    const [guest, host] = [await addUser(site), await addUser(site)]
    // The reference would have kept the host out of the plan.
    const refer = () => site.database.run(`update auth_user set referrer_id = ${host} where id = ${guest}`)
    const { path, report } = await purgeInto(directory, site, { size: 1, meanwhile: refer })
    expect(report).toMatchObject({ deleted: 2, failed: [] })
    expect(await putBack(site, path, { users: [host] })).toMatchObject({
      restored: { auth_user: 1, account_emailaddress: 1 },
      failed: [],
    })
    expect(await rowsOf(site.db, 'auth_user')).toMatchObject([{ id: host }])
  })

  test('of two that need each other says why the other one does not', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table pair (id integer primary key, user_id ${user(DEFERRED)},
         other_id integer not null references pair (id) ${DEFERRED}, slug varchar(9) unique);
       create index pair_user on pair (user_id);`,
    )
    const owner = await addUser(site)
    await site.database.run(`insert into pair values (1, ${owner}, 2, 'one'), (2, ${owner}, 1, 'two')`)
    const { path } = await purgeInto(directory, site, { rules: { cascade: ['pair'] }, guards: NO_GUARDS })
    await site.database.run(`insert into pair values (3, null, 3, 'two')`)
    expect((await putBack(site, path)).failed).toEqual(
      expect.arrayContaining([
        { user: owner, table: 'pair', reason: 'a row it depends on is not there: pair' },
        { user: owner, table: 'pair', reason: 'taken already: pair.slug' },
      ]),
    )
  })

  test('is not mistaken for one whose key differs in case', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table token (code varchar(9) primary key, user_id ${user(DEFERRED)}, note text);
       create index token_user on token (user_id);
       create table hit (id {key}, code varchar(9) references token (code) ${DEFERRED});
       create index hit_code on hit (code);`,
    )
    const [first, second] = [await addUser(site), await addUser(site)]
    await insert(site, 'token', { code: 'Ab', user_id: first })
    await insert(site, 'token', { code: 'ab', user_id: second })
    for (const code of ['Ab', 'ab']) await insert(site, 'hit', { code })
    const rules = { cascade: ['token', 'hit'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size: 10 })
    const other = await addUser(site, { lastLogin: '2026-01-01T00:00:00Z' })
    await insert(site, 'token', { code: 'Ab', user_id: other })
    expect((await putBack(site, path)).failed).toEqual([
      { user: first, table: 'token', reason: 'taken already: token.code' },
      { user: first, table: 'hit', reason: "what it refers to is somebody else's by now: token" },
    ])
    expect(await rowsOf(site.db, 'hit')).toMatchObject([{ code: 'ab' }])
  })

  test('is still the same when the site has moved it to another album', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table album (id {key}, name text);
       create table photo (id {key}, owner_id ${user(DEFERRED)}, album_id integer references album (id) ${DEFERRED});
       create index photo_owner on photo (owner_id);
       create table liking (id {key}, photo_id integer references photo (id) ${DEFERRED});
       create index liking_photo on liking (photo_id);`,
    )
    const owner_id = await addUser(site)
    const [one, other] = [
      await insert(site, 'album', { name: 'one' }),
      await insert(site, 'album', { name: 'other' }),
    ]
    const photo = await insert(site, 'photo', { owner_id, album_id: one })
    for (let i = 0; i < 2; i++) await insert(site, 'liking', { photo_id: photo })
    const rules = { cascade: ['photo', 'liking'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS })
    await putBack(site, path)
    await site.database.run(`update photo set album_id = ${other}; delete from liking where id = 2`)
    expect(await putBack(site, path)).toMatchObject({ restored: { liking: 1 }, skipped: 4, failed: [] })
    expect(await rowsOf(site.db, 'photo')).toMatchObject([{ album_id: other }])
  })

  test('of two that need each other comes back with the other, whoever else stays out', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table pair (id integer primary key, user_id ${user(DEFERRED)},
         other_id integer not null references pair (id) ${DEFERRED});
       create index pair_user on pair (user_id);
       create index pair_other on pair (other_id);`,
    )
    const [owner, taken] = [await addUser(site), await addUser(site, { username: 'taken' })]
    await site.database.run(`insert into pair values (1, ${owner}, 2), (2, ${owner}, 1), (3, ${taken}, 3)`)
    const { path } = await purgeInto(directory, site, {
      rules: { cascade: ['pair'] },
      guards: NO_GUARDS,
      size: 10,
    })
    await addUser(site, { username: 'taken', lastLogin: '2026-01-01T00:00:00Z', columns: { id: '999' } })
    for (const dryRun of [true, false]) {
      const { restored, failed } = await putBack(site, path, { dryRun })
      expect(restored).toEqual({ auth_user: 1, account_emailaddress: 1, pair: 2 })
      expect(failed).toContainEqual({
        user: taken,
        table: 'auth_user',
        reason: 'taken already: auth_user.username',
      })
    }
    expect(await rowsOf(site.db, 'pair')).toMatchObject([{ other_id: '2' }, { other_id: '1' }])
  })

  test('is missed when a trigger has made another one in its place', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table bio (user_id integer primary key references auth_user (id) ${DEFERRED}, text text);`,
    )
    const bot = await addUser(site)
    await insert(site, 'bio', { user_id: bot, text: 'precious' })
    const { path } = await purgeInto(directory, site, { rules: { cascade: ['bio'] }, guards: NO_GUARDS })
    await site.database.run(
      harness.pick({
        sqlite: `create trigger fill after insert on auth_user begin insert into bio values (new.id, ''); end`,
        postgres: `create function fill() returns trigger language plpgsql as
            $$ begin insert into bio values (new.id, ''); return new; end $$;
          create trigger fill after insert on auth_user for each row execute function fill();`,
      }),
    )
    const failed = [
      {
        user: bot,
        table: 'bio',
        reason: 'another row has come in its place meanwhile, perhaps from a trigger',
      },
    ]
    for (const dryRun of [true, false]) {
      expect(await putBack(site, path, { dryRun })).toMatchObject({ restored: { auth_user: 1 }, failed })
    }
  })

  test('is kept out by a trigger that says nothing', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table note (id {key}, user_id ${user()}, text text);`,
    )
    const bot = await addUser(site)
    await insert(site, 'note', { user_id: bot })
    const { path } = await purgeInto(directory, site, { rules: { cascade: ['note'] }, guards: NO_GUARDS })
    await site.database.run(
      harness.pick({
        sqlite: 'create trigger no before insert on note begin select raise(ignore); end',
        postgres: `create function no() returns trigger language plpgsql as $$ begin return null; end $$;
          create trigger no before insert on note for each row execute function no();`,
      }),
    )
    expect((await putBack(site, path)).failed).toEqual([
      { user: bot, table: 'note', reason: 'a trigger of the database refused it' },
    ])
  })
})
