import { expect, test } from 'vitest'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { expectRoundTrip } from '../../support/round-trip.ts'
import { createSite, insert, rowsOf, siteIn, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const SITE = 'django5.2-allauth65'

/** What Django makes of `class Article(Page)` and `class Gallery(Page)`, and of what refers to a page. */
const PAGES = `
create table cms_page (id {key}, title varchar(40), owner_id integer references auth_user (id) deferrable initially deferred);
create index cms_page_owner on cms_page (owner_id);
create table cms_article (page_ptr_id integer not null primary key references cms_page (id) deferrable initially deferred,
  author_id integer not null references auth_user (id) deferrable initially deferred);
create index cms_article_author on cms_article (author_id);
create table cms_news (article_ptr_id integer not null primary key references cms_article (page_ptr_id) deferrable initially deferred,
  day varchar(10) not null);
create table cms_remark (id {key}, page_id integer not null references cms_page (id) deferrable initially deferred);
create index cms_remark_page on cms_remark (page_id);`

async function article(site: TestSite, author: string, owner: string | null = null): Promise<string> {
  const page = await insert(site, 'cms_page', { title: 'an article', owner_id: owner })
  await insert(site, 'cms_article', { page_ptr_id: page, author_id: author })
  return page
}

describeEachDatabase('multi-table inheritance', (harness) => {
  const RULES = { cascade: ['cms_article.author_id'], setNull: ['cms_page.owner_id'] }

  async function pages() {
    const site = await createSite(harness, SITE, PAGES)
    const [a, b] = [await addUser(site), await addUser(site)]
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    return { site, a, b, kept }
  }

  test.each([1, 1000])('the parent goes with its child, %i users at a time', async (size) => {
    const { site, a, b, kept } = await pages()
    await article(site, a)
    const news = await article(site, b, a)
    await insert(site, 'cms_news', { article_ptr_id: news, day: 'Monday' })
    const stays = await article(site, kept, b)
    const plain = await insert(site, 'cms_page', { title: 'no article', owner_id: b })
    const plan = await expectRoundTrip(site, RULES, size)
    expect(plan).toMatchObject({
      tables: { cms_page: 2, cms_article: 2, cms_news: 1, auth_user: 2 },
      nulled: { 'cms_page.owner_id': 2 },
    })
    expect((await rowsOf(site.db, 'cms_page')).map((row) => row.id)).toEqual(
      expect.arrayContaining([stays, plain]),
    )
  })

  test('what hangs on the parent follows the rules: it keeps the user, or goes too', async () => {
    const { site, a, b } = await pages()
    await insert(site, 'cms_remark', { page_id: await article(site, a) })
    await article(site, b)
    const plan = await planPurge(site, criteria({ rules: RULES }))
    expect(plan).toMatchObject({ toDelete: 1, tables: { cms_page: 1 } })
    expect(plan.keeping).toMatchObject([{ edge: 'cms_remark.page_id', users: 1 }])
    const all = await expectRoundTrip(site, { ...RULES, cascade: [...RULES.cascade, 'cms_remark'] })
    expect(all).toMatchObject({ toDelete: 2, tables: { cms_page: 2, cms_remark: 1 } })
  })

  test('the child goes with its parent, also a user who is one', async () => {
    const { site, a, b, kept } = await pages()
    await article(site, kept, a)
    await site.database.run(`create table shop_customer (user_ptr_id integer not null primary key references auth_user (id),
      sponsor_id integer references auth_user (id))`)
    const again = await siteIn(site.database)
    await insert(again, 'shop_customer', { user_ptr_id: a, sponsor_id: null })
    await insert(again, 'shop_customer', { user_ptr_id: kept, sponsor_id: b })
    const plan = await planPurge(again, criteria({ rules: { cascade: ['*'] } }))
    // A customer is a person: whoever sponsors one who stays is kept, and so is nobody else.
    expect(plan.keeping).toMatchObject([{ edge: 'shop_customer.sponsor_id', users: 1 }])
    const all = await expectRoundTrip(again, { cascade: ['*'], setNull: ['shop_customer.sponsor_id'] })
    expect(all).toMatchObject({
      tables: { auth_user: 2, shop_customer: 1, cms_page: 1, cms_article: 1 },
      nulled: { 'shop_customer.sponsor_id': 1 },
    })
  })

  test.each(['', ' deferrable initially deferred'])(
    'users who are a child themselves, foreign keys%s',
    async (deferred) => {
      const database = await harness.empty()
      await database.run(`
      create table core_person (id {key}, name varchar(20) not null);
      create table core_member (person_ptr_id integer not null primary key references core_person (id)${deferred},
        username varchar(150) not null, password varchar(128) not null, last_login {instant});
      create table account_emailaddress (id {key}, email varchar(254) not null, verified {bool} not null,
        "primary" {bool} not null, user_id integer not null references core_member (person_ptr_id)${deferred});
      create index address_user on account_emailaddress (user_id);`)
      const site = await siteIn(database)
      for (const lastLogin of [null, null, '2024-01-01T00:00:00Z']) {
        const person = await insert(site, 'core_person', { name: 'somebody' })
        await addUser(site, { lastLogin, columns: { person_ptr_id: person } })
      }
      const plan = await expectRoundTrip(site, {}, 1)
      expect(plan.tables).toEqual({ core_person: 2, core_member: 2, account_emailaddress: 2 })
    },
  )

  test('a one-to-one primary key is no inheritance: what it points at stays', async () => {
    const site = await createSite(
      harness,
      SITE,
      `create table place (id {key}, name varchar(20));
       create table restaurant (place_id integer not null primary key references place (id),
         owner_id integer not null references auth_user (id));`,
    )
    const place = await insert(site, 'place', { name: 'here' })
    await insert(site, 'restaurant', { place_id: place, owner_id: await addUser(site) })
    const plan = await expectRoundTrip(site, { cascade: ['restaurant'] })
    expect(plan.tables).toEqual({ restaurant: 1, auth_user: 1, account_emailaddress: 1 })
  })
})

describeDatabase('postgres', 'a table that others inherit from', (harness) => {
  const LOGS = `
create table log (id {key}, user_id integer references auth_user (id) deferrable initially deferred, text text);
create table log_2019 (year_only text) inherits (log);`

  test('keeps its users, and theirs', async () => {
    const site = await createSite(harness, SITE, LOGS)
    const [a, b] = [await addUser(site), await addUser(site)]
    await insert(site, 'log', { user_id: a, text: 'here' })
    await insert(site, 'log_2019', { id: '7', user_id: b, text: 'there', year_only: 'x' })
    expect(await planPurge(site, criteria())).toMatchObject({ toDelete: 0, kept: { content: 2 } })
  })

  test.each([{ cascade: ['log'] }, { setNull: ['log.user_id'] }])(
    'is not deleted from: %o',
    async (rules) => {
      const site = await createSite(harness, SITE, LOGS)
      await addUser(site)
      await expect(planPurge(site, criteria({ rules }))).rejects.toThrow(
        expect.objectContaining({ kind: 'refused', message: expect.stringContaining('inherit from log') }),
      )
    },
  )

  test('is not that of the users', async () => {
    const site = await createSite(harness, SITE, 'create table former_user () inherits (auth_user);')
    await addUser(site)
    await expect(planPurge(site, criteria())).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('inherit from auth_user'),
    })
  })

  test('nor by an old plan', async () => {
    const site = await createSite(harness, SITE, LOGS.split(';')[0])
    const key = await addUser(site)
    const rules = { cascade: ['log'] }
    const plan = await planPurge(site, criteria({ rules }), { batchSize: 10 })
    await site.database.run(LOGS.split(';')[1] ?? '')
    await expect(purge(await siteIn(site.database), criteria({ rules }), plan)).rejects.toThrow('inherit')
    expect(await rowsOf(site.db, 'auth_user')).toMatchObject([{ id: key }])
  })
})
