import { expect, test } from 'vitest'
import type { RuleSettings } from '../../../src/site/rules.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { purgeAsPlanned } from '../../support/purge-as-planned.ts'
import { createSite, insert, rowsOf, siteIn, withTables } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const POST = `
create table blog_post (id {key}, author_id integer references auth_user (id) deferrable initially deferred,
  editor_id integer references auth_user (id) deferrable initially deferred, title varchar(40) not null);
create index blog_post_author on blog_post (author_id);`

const COMMENT = `${POST}
create table blog_comment (id {key}, post_id integer not null references blog_post (id) deferrable initially deferred,
  parent_id integer references blog_comment (id) deferrable initially deferred);
create index blog_comment_post on blog_comment (post_id);
create index blog_comment_parent on blog_comment (parent_id);`

describeEachDatabase('dependents', (harness) => {
  test('are deleted whether they were counted before or not', async () => {
    const [counted, uncounted] = await Promise.all(
      [true, false].map(async (countsRows) => {
        const site = await createSite(harness, 'django5.2-allauth65', COMMENT)
        const user = await addUser(site)
        const post = await insert(site, 'blog_post', { author_id: user, editor_id: user })
        await insert(site, 'blog_comment', { post_id: post })
        const all = criteria({ rules: { cascade: ['*'], setNull: ['blog_post.editor_id'] } })
        const plan = await planPurge(site, all, { batchSize: 1, countsRows })
        return { plan, report: await purge(site, all, plan) }
      }),
    )
    expect(counted?.plan.tables).toMatchObject({ auth_user: 1, blog_post: 1, blog_comment: 1 })
    expect(uncounted?.plan.tables).toEqual({ auth_user: 1 })
    expect(uncounted?.report).toEqual(counted?.report)
  })

  test('account plumbing goes with the user, content keeps them and says which rule would change it', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    const bot = await addUser(site)
    const writer = await addUser(site)
    await insert(site, 'blog_post', { author_id: writer, editor_id: null, title: 'hello' })
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({
      matched: 2,
      toDelete: 1,
      kept: { content: 1 },
      tables: { auth_user: 1, account_emailaddress: 1 },
      nulled: {},
      keeping: [
        {
          edge: 'blog_post.author_id',
          users: 1,
          column: 'blog_post.author_id',
          remedies: ['set-null', 'delete'],
        },
      ],
    })
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.id)).toEqual([writer])
    expect(bot).not.toBe(writer)
  })

  test('what the database says on delete counts more than what the app is known for', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table reversion_revision (id {key}, user_id integer references auth_user (id) on delete cascade);
       create table authtoken_token (id {key}, user_id integer references auth_user (id) on delete set null);`,
    )
    const user = await addUser(site)
    for (const table of ['reversion_revision', 'authtoken_token'])
      await insert(site, table, { user_id: user })
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({
      toDelete: 1,
      tables: { reversion_revision: 1 },
      nulled: { 'authtoken_token.user_id': 1 },
    })
  })

  test('rows that the database would give to somebody else keep the user', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'create table note (id {key}, user_id integer default 1 references auth_user (id) on delete set default)',
    )
    await insert(site, 'note', { user_id: await addUser(site) })
    const { plan } = await purgeAsPlanned(site, { cascade: ['*'] })
    expect(plan).toMatchObject({ toDelete: 0, kept: { content: 1 } })
  })

  test('history that must have its author keeps the user', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'create table reversion_revision (id {key}, user_id integer not null references auth_user (id))',
    )
    await insert(site, 'reversion_revision', { user_id: await addUser(site) })
    const { plan, report } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({ toDelete: 0, kept: { content: 1 } })
    expect(report.failed).toEqual([])
  })

  test('a referencing column without an index is reported with the statement that makes one', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    const plan = await planPurge(site, criteria())
    expect(plan.missingIndexes).toEqual([
      {
        edge: 'blog_post.editor_id',
        statement: harness.pick({
          sqlite: 'CREATE INDEX "blog_post_editor_id" ON "blog_post" ("editor_id");',
          postgres: 'CREATE INDEX CONCURRENTLY "blog_post_editor_id" ON "blog_post" ("editor_id");',
        }),
      },
    ])
    await site.database.run(plan.missingIndexes[0]?.statement ?? '')
    const indexed = await planPurge(await siteIn(site.database), criteria())
    expect(indexed.missingIndexes).toEqual([])
  })

  test('what a missing index may cost is told where the size of the table is known', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    await addCrowd(site, 500)
    const cost = async (posts: number) => {
      await site.database.run(`
        insert into blog_post (author_id, title) with recursive n (i) as (select 1 union all select i + 1 from n where i < ${posts})
          select 1, 'post ' || i from n`)
      const [missing] = (await planPurge(site, criteria())).missingIndexes
      return missing?.seconds
    }
    const [small, large] = [await cost(10_000), await cost(30_000)]
    if (small === undefined || large === undefined) return expect(harness.kind).toBe('sqlite')
    expect(small).toBeGreaterThan(0.05)
    expect(small).toBeLessThan(5)
    expect(large / small).toBeCloseTo(4, 0)
  })

  test('two edges between the same two tables follow their own rules', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    const [a, b] = [await addUser(site), await addUser(site)]
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await insert(site, 'blog_post', { author_id: a, editor_id: b, title: 'both go' })
    await insert(site, 'blog_post', { author_id: kept, editor_id: b, title: 'loses its editor' })
    const { plan } = await purgeAsPlanned(site, {
      cascade: ['blog_post.author_id'],
      setNull: ['blog_post.editor_id'],
    })
    expect(plan).toMatchObject({
      toDelete: 2,
      tables: { blog_post: 1 },
      nulled: { 'blog_post.editor_id': 1 },
    })
    expect(await rowsOf(site.db, 'blog_post')).toMatchObject([{ author_id: kept, editor_id: null }])
  })

  test('a rule for a column counts more than one for its table', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    const [author, editor] = [await addUser(site), await addUser(site)]
    await insert(site, 'blog_post', { author_id: author, editor_id: editor, title: 'goes with its author' })
    const plan = async (rules: RuleSettings) => planPurge(site, criteria({ rules }))
    expect(await plan({ keep: ['blog_post'], cascade: ['blog_post.author_id'] })).toMatchObject({
      toDelete: 1,
      kept: { content: 1 },
    })
    expect(await plan({ keep: ['blog_post.author_id'], cascade: ['blog_post'] })).toMatchObject({
      toDelete: 1,
      kept: { content: 1 },
    })
  })

  test('child tables of child tables, and a tree within a table, go with their root', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', COMMENT)
    const bot = await addUser(site)
    const post = await insert(site, 'blog_post', { author_id: bot, editor_id: null, title: 'x' })
    const other = await insert(site, 'blog_post', { author_id: null, editor_id: null, title: 'y' })
    const root = await insert(site, 'blog_comment', { post_id: post, parent_id: null })
    const reply = await insert(site, 'blog_comment', { post_id: other, parent_id: root })
    await insert(site, 'blog_comment', { post_id: other, parent_id: reply })
    const left = await insert(site, 'blog_comment', { post_id: other, parent_id: null })
    const { plan } = await purgeAsPlanned(site, { cascade: ['*'] })
    expect(plan.tables).toMatchObject({ blog_post: 1, blog_comment: 3, auth_user: 1 })
    expect(await rowsOf(site.db, 'blog_comment')).toMatchObject([{ id: left }])
  })

  test("the rule offered first spares rows that are somebody else's", async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      POST.replace('author_id integer', 'author_id integer not null'),
    )
    const [bot, writer] = [await addUser(site), await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })]
    await insert(site, 'blog_post', { author_id: writer, editor_id: bot, title: 'a bot has edited it' })
    await insert(site, 'blog_post', { author_id: bot, editor_id: null, title: 'spam' })
    const { keeping } = await planPurge(site, criteria())
    expect(Object.fromEntries(keeping.map(({ column, remedies }) => [column, remedies]))).toEqual({
      'blog_post.author_id': ['delete'],
      'blog_post.editor_id': ['set-null', 'delete'],
    })
    await purgeAsPlanned(site, { cascade: ['blog_post.author_id'], setNull: ['blog_post.editor_id'] })
    expect(await rowsOf(site.db, 'blog_post')).toMatchObject([{ author_id: writer, editor_id: null }])
  })

  test('content deep down keeps the user whose rows it hangs on', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', COMMENT)
    const bot = await addUser(site)
    const quiet = await addUser(site)
    const post = await insert(site, 'blog_post', { author_id: bot, editor_id: null, title: 'x' })
    await insert(site, 'blog_post', { author_id: quiet, editor_id: null, title: 'nobody answered' })
    await insert(site, 'blog_comment', { post_id: post, parent_id: null })
    const { plan } = await purgeAsPlanned(site, { cascade: ['blog_post'] })
    expect(plan).toMatchObject({ toDelete: 1, kept: { content: 1 }, tables: { blog_post: 1 } })
    expect(plan.keeping).toMatchObject([{ edge: 'blog_comment.post_id', users: 1 }])
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.id)).toEqual([bot])
  })

  test.each(['', ' deferrable initially deferred'])('a ring of tables, foreign keys%s', async (deferred) => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table shop (id {key}, owner_id integer not null references auth_user (id), best_id integer);
       create table item (id {key}, shop_id integer references shop (id)${deferred}, label varchar(9) not null);
       ${harness.pick({
         sqlite: `drop table shop; create table shop (id {key}, owner_id integer not null references auth_user (id),
           best_id integer references item (id)${deferred});`,
         postgres: `alter table shop add foreign key (best_id) references item (id)${deferred};`,
       })}`,
    )
    const bot = await addUser(site)
    const shop = await insert(site, 'shop', { owner_id: bot, best_id: null })
    const item = await insert(site, 'item', { shop_id: shop, label: 'x' })
    await site.database.run(`update shop set best_id = ${item}`)
    const { plan } = await purgeAsPlanned(site, { cascade: ['shop', 'item'] })
    expect(plan.tables).toMatchObject({ shop: 1, item: 1, auth_user: 1 })
    expect(await rowsOf(site.db, 'item')).toEqual([])
  })

  test('a reference to another user never deletes that user', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'alter table auth_user add column invited_by_id integer references auth_user (id) on delete cascade',
    )
    const host = await addUser(site)
    const guest = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await site.database.run(`update auth_user set invited_by_id = ${host} where id = ${guest}`)
    const kept = await planPurge(site, criteria({ rules: { cascade: ['*'] } }))
    expect(kept).toMatchObject({ toDelete: 0, kept: { content: 1 } })
    expect(kept.keeping).toMatchObject([{ column: 'auth_user.invited_by_id', remedies: ['set-null'] }])
    await purgeAsPlanned(site, { setNull: ['auth_user.invited_by_id'] })
    expect(await rowsOf(site.db, 'auth_user')).toMatchObject([{ id: guest, invited_by_id: null }])
    await expect(
      planPurge(site, criteria({ rules: { cascade: ['auth_user.invited_by_id'] } })),
    ).rejects.toThrow(/cannot delete other users/)
    await expect(planPurge(site, criteria({ rules: { cascade: ['auth_user'] } }))).rejects.toThrow(
      /cannot delete other users/,
    )
  })

  test('a foreign key to a column other than the key, and one of several columns', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table badge (id {key}, holder varchar(150) not null references auth_user (username));
       create index badge_holder on badge (holder);
       create table seat (team integer not null, holder_id integer not null references auth_user (id),
         primary key (team, holder_id));
       create table booking (id {key}, team integer, holder integer,
         foreign key (team, holder) references seat (team, holder_id));
       create index booking_seat on booking (team, holder);`,
    )
    const bot = await addUser(site, { username: 'bot' })
    await insert(site, 'badge', { holder: 'bot' })
    await insert(site, 'seat', { team: 1, holder_id: bot })
    await insert(site, 'booking', { team: 1, holder: bot })
    const stays = await insert(site, 'booking', { team: null, holder: bot })
    const { plan } = await purgeAsPlanned(site, { cascade: ['*'] })
    expect(plan.tables).toMatchObject({ badge: 1, seat: 1, booking: 1, auth_user: 1 })
    expect(await rowsOf(site.db, 'booking')).toMatchObject([{ id: stays }])
  })

  test('what the database itself does on delete counts as a rule', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table note (id {key}, user_id integer not null references auth_user (id) on delete cascade);
       create table log (id {key}, user_id integer references auth_user (id) on delete set null);
       create index note_user on note (user_id);`,
    )
    const bot = await addUser(site)
    await insert(site, 'note', { user_id: bot })
    await insert(site, 'log', { user_id: bot })
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({ tables: { note: 1, auth_user: 1 }, nulled: { 'log.user_id': 1 } })
    expect(await rowsOf(site.db, 'log')).toMatchObject([{ user_id: null }])
  })

  test('rows that came on top since the plan are in the report', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    const bot = await addUser(site)
    const all = criteria({ rules: { setNull: ['blog_post.editor_id'] } })
    const plan = await planPurge(site, all, { batchSize: 10 })
    const [address] = await rowsOf(site.db, 'account_emailaddress')
    await insert(site, 'account_emailconfirmation', { email_address_id: String(address?.id), key: 'k' })
    await insert(site, 'blog_post', { author_id: null, editor_id: bot, title: 'edited meanwhile' })
    const { tables, nulled } = await purge(site, all, plan)
    expect({ tables, nulled }).toEqual({
      tables: { auth_user: 1, account_emailaddress: 1, account_emailconfirmation: 1 },
      nulled: { 'blog_post.editor_id': 1 },
    })
  })

  test('a batch with one undeletable user deletes all the others', async () => {
    const empty = await createSite(harness, 'django5.2-allauth65')
    const ids = []
    for (let i = 0; i < 7; i++) ids.push(await addUser(empty))
    const guilty = ids[3]
    const site = await withTables(
      empty,
      harness.pick({
        sqlite: `create trigger stop before delete on auth_user when old.id = ${guilty}
          begin select raise(abort, 'no'); end`,
        postgres: `create function stop() returns trigger language plpgsql as $$ begin
          if old.id = ${guilty} then raise exception 'no'; end if; return old; end $$;
          create trigger stop before delete on auth_user for each row execute function stop();`,
      }),
    )
    const all = criteria()
    const report = await purge(site, all, await planPurge(site, all, { batchSize: 1000 }))
    expect(report).toMatchObject({ deleted: 6, tables: { auth_user: 6, account_emailaddress: 6 } })
    expect(report.failed).toMatchObject([{ id: guilty }])
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.id)).toEqual([guilty])
  })

  test.each([
    [{ cascade: ['blog_pst'] }, /there is no table blog_pst \(did you mean blog_post\?\)/],
    [{ cascade: ['blog_posts'] }, /there is no table blog_posts \(did you mean blog_post\?\)/],
    [{ cascade: ['nowhere.at_all'] }, /there is no table nowhere(?! \()/],
    [{ cascade: ['blog_post.writer_id'] }, /has no column writer_id/],
    [{ cascade: ['django_content_type'] }, /refers to no other table/],
    [{ setNull: ['account_emailaddress.user_id'] }, /does not allow it/],
  ])('a rule that cannot be followed is refused: %j', async (rules, message) => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    await expect(planPurge(site, criteria({ rules }))).rejects.toThrow(message)
  })
})

describeDatabase('sqlite', 'a table with a foreign key to one that does not exist', (harness) => {
  const TOKENS = `create table token (id {key}, user_id integer references auth_user (id),
    app_id integer references nosuchtable (id))`

  test('is named when rows of it would have to go, which the database would refuse', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', TOKENS)
    const user_id = await addUser(site)
    const cascade = criteria({ rules: { cascade: ['token'] } })
    expect(await planPurge(site, cascade)).toMatchObject({ toDelete: 1 })
    await site.database.run(`pragma foreign_keys = off; insert into token (user_id) values (${user_id})`)
    expect(await planPurge(site, criteria())).toMatchObject({ toDelete: 0, kept: { content: 1 } })
    await expect(planPurge(site, cascade)).rejects.toThrow(
      expect.objectContaining({
        kind: 'refused',
        message: 'token has a foreign key to nosuchtable, and there is no such table',
      }),
    )
  })
})
