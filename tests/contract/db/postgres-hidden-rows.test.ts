import { expect, test } from 'vitest'
import { siteOf } from '../../../src/site/site.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase } from '../../support/databases.ts'
import { wordsOf } from '../../support/errors.ts'
import { createSite, insert } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const ROLE = `usermgmt_test_hidden_${process.pid}`
const SITE = 'django5.2-allauth65'

const ORDERS = `create table orders (id {key}, tenant integer, user_id integer references auth_user (id) on delete cascade);
  create index orders_user on orders (user_id);`
const REMARKS = `create table remark (id {key}, user_id integer references auth_user (id) on delete set null);
  create index remark_user on remark (user_id);`

describeDatabase('postgres', 'a table whose rows a policy hides', (harness) => {
  test.each([
    ['account_emailaddress', 'not verified'],
    ['orders', 'tenant = 1'],
    ['auth_user', 'is_active'],
  ])('%s is not planned by, as far as it is seen', async (table, seen) => {
    const site = await createSite(harness, SITE, ORDERS)
    const user = await addUser(site)
    await insert(site, 'orders', { tenant: 2, user_id: user })
    await site.database.run(`create role ${ROLE} login password 'for-tests-only';
      grant select, update, delete on all tables in schema public to ${ROLE};
      alter table ${table} enable row level security; create policy seen on ${table} using (${seen})`)
    const url = new URL(site.url)
    url.username = ROLE
    url.password = 'for-tests-only'
    const db = await site.database.open({}, url.href)
    try {
      const hidden = async () => planPurge(await siteOf(db), criteria())
      expect(await wordsOf(hidden)).toMatchObject({
        message: `row level security hides rows of ${table} from this role`,
        hint: 'use the role that owns the table, or one with BYPASSRLS',
      })
    } finally {
      await db.close()
      await site.database.run(`drop owned by ${ROLE}; drop role ${ROLE}`)
    }
    expect(await planPurge(site, criteria())).toMatchObject({ toDelete: 1, tables: { orders: 1 } })
  })
})

describeDatabase('postgres', 'a table with rules of the database', (harness) => {
  test.each([
    ['on delete to remark do instead nothing', 'remark'],
    ['on update to remark do also notify remarks', 'remark'],
    ['on delete to auth_user do also notify users', 'auth_user'],
  ])('is not deleted from: %s', async (rule, table) => {
    const site = await createSite(harness, SITE, `${REMARKS} create rule special as ${rule}`)
    await addUser(site)
    await expect(planPurge(site, criteria())).rejects.toMatchObject({
      kind: 'refused',
      message: `rules of the database change what is done to ${table}: it could not be put back`,
    })
  })

  test('is deleted from when they are switched off', async () => {
    const site = await createSite(
      harness,
      SITE,
      `${REMARKS} create rule special as on delete to remark do instead nothing;
       alter table remark disable rule special`,
    )
    await addUser(site)
    expect(await planPurge(site, criteria())).toMatchObject({ toDelete: 1 })
  })

  test('may keep its users', async () => {
    const site = await createSite(
      harness,
      SITE,
      `${REMARKS} create rule special as on delete to remark do instead nothing`,
    )
    const user = await addUser(site)
    await insert(site, 'remark', { user_id: user })
    const plan = await planPurge(site, criteria({ rules: { keep: ['remark'] } }))
    expect(plan).toMatchObject({ toDelete: 0, kept: { content: 1 } })
  })
})
