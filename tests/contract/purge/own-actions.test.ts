import { expect, test } from 'vitest'
import { describeEachDatabase } from '../../support/databases.ts'
import { expectRoundTrip } from '../../support/round-trip.ts'
import { createSite, insert, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const SITE = 'django5.2-allauth65'

/** A thread: each post answers the one before it; all by one author, or by authors of their own. */
async function thread(site: TestSite, authors: readonly string[]): Promise<void> {
  let parent: string | null = null
  for (const author of authors) {
    parent = await insert(site, 'forum_post', { author_id: author, parent_id: parent })
  }
}

async function bots(site: TestSite, count: number): Promise<string[]> {
  const ids = []
  for (let i = 0; i < count; i++) ids.push(await addUser(site))
  return ids
}

// What the database deletes or changes by itself is neither counted nor archived: the tool must have seen it before.
describeEachDatabase('what the database does on delete', (harness) => {
  const ACTIONS = ['', ' on delete cascade', ' on delete set null', ' on delete set default']

  test.each(ACTIONS)('within a table: references parent%s', async (action) => {
    const site = await createSite(
      harness,
      SITE,
      `create table forum_post (id {key}, author_id integer not null references auth_user (id),
         parent_id integer default null references forum_post (id)${action});`,
    )
    const [bot = ''] = await bots(site, 1)
    await thread(site, [bot, bot, bot])
    const plan = await expectRoundTrip(site, { cascade: ['forum_post'] })
    expect(plan.tables).toMatchObject({ forum_post: 3, auth_user: 1 })
  })

  test.each([1, 2, 1000])('a thread of several authors, %i users at a time', async (size) => {
    const site = await createSite(
      harness,
      SITE,
      `create table forum_post (id {key}, author_id integer not null references auth_user (id) on delete cascade,
         parent_id integer references forum_post (id) on delete set null);`,
    )
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    const [a = '', b = ''] = await bots(site, 2)
    await thread(site, [a, b, kept, b, a, b])
    const plan = await expectRoundTrip(site, {}, size)
    expect(plan).toMatchObject({ tables: { forum_post: 5 }, nulled: { 'forum_post.parent_id': 1 } })
  })

  test.each([1, 2, 1000])(
    'rows that lose a reference, and are deleted later: %i users at a time',
    async (size) => {
      const site = await createSite(
        harness,
        SITE,
        `create table note (id {key}, author_id integer not null references auth_user (id),
         editor_id integer references auth_user (id));`,
      )
      const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
      const ids = await bots(site, 3)
      const [a = '', b = '', c = ''] = ids
      for (const [author, editor] of [
        [a, b],
        [b, a],
        [c, a],
        [b, c],
        [kept, a],
        [kept, kept],
      ] as const) {
        await insert(site, 'note', { author_id: author, editor_id: editor })
      }
      const plan = await expectRoundTrip(
        site,
        { cascade: ['note.author_id'], setNull: ['note.editor_id'] },
        size,
      )
      expect(plan).toMatchObject({ tables: { note: 4 }, nulled: { 'note.editor_id': 1 } })
    },
  )

  test('rows that are reached over two references, and refer to each other', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table forum_post (id {key}, author_id integer references auth_user (id) on delete cascade,
         owner_id integer references auth_user (id) on delete cascade,
         parent_id integer references forum_post (id) on delete set null);`,
    )
    const [a = '', b = ''] = await bots(site, 2)
    const first = await insert(site, 'forum_post', { author_id: a, owner_id: null, parent_id: null })
    await insert(site, 'forum_post', { author_id: null, owner_id: b, parent_id: first })
    const plan = await expectRoundTrip(site)
    expect(plan.tables).toMatchObject({ forum_post: 2, auth_user: 2 })
  })

  test('users who refer to each other', async () => {
    const site = await createSite(
      harness,
      SITE,
      'alter table auth_user add column invited_by_id integer references auth_user (id) on delete set null',
    )
    const [a, b, c] = await bots(site, 3)
    await site.database.run(
      `update auth_user set invited_by_id = ${a} where id in (${b}, ${c}); update auth_user set invited_by_id = ${c} where id = ${a}`,
    )
    const plan = await expectRoundTrip(site)
    expect(plan).toMatchObject({ tables: { auth_user: 3 }, nulled: {} })
  })

  test.each([
    ['cascade', ''],
    ['cascade', ' deferrable initially deferred'],
    ['set null', ''],
  ])('a ring of tables, on delete %s%s', async (action, deferred) => {
    const item = `create table item (id {key}, shop_id integer references shop (id) on delete ${action}${deferred});`
    const site = await createSite(
      harness,
      SITE,
      harness.pick({
        sqlite: `create table shop (id {key}, owner_id integer not null references auth_user (id) on delete cascade,
          best_id integer references item (id) on delete ${action}${deferred}); ${item}`,
        postgres: `create table shop (id {key}, owner_id integer not null references auth_user (id) on delete cascade,
          best_id integer); ${item}
          alter table shop add foreign key (best_id) references item (id) on delete ${action}${deferred};`,
      }),
    )
    const [bot = ''] = await bots(site, 1)
    const shops = [
      await insert(site, 'shop', { owner_id: bot, best_id: null }),
      await insert(site, 'shop', { owner_id: bot, best_id: null }),
    ]
    for (const shop of shops) {
      const item = await insert(site, 'item', { shop_id: shop })
      await insert(site, 'item', { shop_id: shop })
      await site.database.run(`update shop set best_id = ${item} where id = ${shop}`)
    }
    const plan = await expectRoundTrip(site, { cascade: ['shop', 'item'] })
    expect(plan.tables).toMatchObject({ shop: 2, item: 4, auth_user: 1 })
  })
})
