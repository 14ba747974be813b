import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { create, expectRefusal } from '../../support/create.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { errorOf, wordsOf } from '../../support/errors.ts'
import { createSite, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'
import { untilSomebodyWaits } from '../../support/waiting.ts'

/** The site as it looks when the first queries come too early to see the rows that are in the way. */
function tooEarly(site: TestSite, queries: number): TestSite {
  let left = queries
  const transaction: TestSite['db']['transaction'] = (mode, work) =>
    site.db.transaction(mode, (tx) =>
      work({ ...tx, rows: async (query) => (left-- > 0 ? [] : tx.rows(query)) }),
    )
  return { ...site, db: { ...site.db, transaction } }
}

/** Looks for the username, and twice for the address. */
const LOOKS = 3

describeEachDatabase('create-user when', (harness) => {
  test('somebody else is faster: the same words', async () => {
    const site = await createSite(harness, 'django3.2-allauth0.51')
    await addUser(site, { username: 'ann', email: 'other@example.com' })
    expect((await wordsOf(() => create(tooEarly(site, LOOKS)))).message).toBe('the username ann is taken')
    await addUser(site, { username: 'bob', addresses: [{ email: 'bob@example.com' }] })
    const bobby = { username: 'bobby', email: 'bob@example.com' }
    expect((await wordsOf(() => create(tooEarly(site, LOOKS), bobby))).message).toBe(
      'the address bob@example.com is taken',
    )
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(2)
  })

  test('another constraint is not taken for it', async () => {
    const site = await createSite(harness, 'django3.2-allauth0.51')
    await site.database.run(
      harness.pick({
        sqlite:
          "create trigger closed before insert on account_emailaddress begin select raise(abort, 'closed'); end",
        postgres: `create function closed() returns trigger language plpgsql as $$ begin raise 'closed'; end $$;
          create trigger closed before insert on account_emailaddress execute function closed()`,
      }),
    )
    await expectRefusal(site, {}, 'a trigger of the database refused it')
  })
})

describeDatabase('postgres', 'create-user when', (harness) => {
  test('two at once make one user, whatever the site lets pass', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    // Without connections at hand, the first would be done before the second has one.
    await Promise.all(['ann', 'anna', 'anne'].map(() => site.db.rows(sql`select pg_sleep(0.1)`)))
    const users = ['ann', 'anna', 'anne'].map((username) => create(site, { username }))
    const results = await Promise.allSettled(users)
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(1)
    expect(await rowsOf(site.db, 'account_emailaddress')).toHaveLength(1)
  })

  test('the site commits the same username meanwhile', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const other = await site.database.connect()
    await other.run(`begin; insert into auth_user
      (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
      values ('!', false, 'ann', '', '', '', false, true, now())`)
    const creating = errorOf(() => create(site))
    await untilSomebodyWaits(other, 'lock')
    await other.run('commit')
    expect(await creating).toMatchObject({ name: 'UserError', message: 'the username ann is taken' })
    expect(await rowsOf(site.db, 'account_emailaddress')).toEqual([])
  })

  test('a database that folds ASCII only', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await site.database.run('alter table auth_user alter username type varchar(150) collate "C"')
    await addUser(site, { username: 'ÉMILE', email: 'other@example.com' })
    await expectRefusal(site, { username: 'émile' }, 'the username émile is taken')
    expect((await create(site, { username: 'émilf' })).username).toBe('émilf')
  })

  test('a sequence goes on', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const first = await create(site)
    expect(Number(await addUser(site, { username: 'bob' }))).toBe(Number(first.id) + 1)
  })
})
