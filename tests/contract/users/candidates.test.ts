import { expect, test } from 'vitest'
import type { Site } from '../../../src/site/site.ts'
import type { Criteria, GuardName } from '../../../src/users/criteria.ts'
import { explainNothing, listUsers, tally } from '../../../src/users/list.ts'
import type { ListedUser } from '../../../src/users/list-fields.ts'
import type { ListRequest } from '../../../src/users/list-pages.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { CUTOFF, criteria, NO_GUARDS } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { createSite, insert, REAL_SITES, rowsOf, type TestSite, withTables } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

async function listed(site: Site, request: Partial<ListRequest> = {}) {
  const users: ListedUser[] = []
  const chosen: ListRequest = { criteria: criteria(), fields: ['id'], show: 'all', ...request }
  for await (const user of listUsers(site, chosen)) users.push(user)
  return users
}

async function names(site: Site, chosen: Criteria): Promise<string[]> {
  const users = await listed(site, { criteria: chosen, fields: ['username'] })
  return users.map((user) => String(user.username)).sort()
}

/** One user for each guard, whom only that guard keeps, and the settings that let them go. */
async function guarded(site: TestSite): Promise<void> {
  const add = (username: string, more = {}) => addUser(site, { username, ...more })
  await add('nobody')
  await add('recent', { dateJoined: '2026-06-02T00:00:00Z' })
  await add('staff', { isStaff: true })
  await add('superuser', { isSuperuser: true })
  await add('verified-address', {
    addresses: [{ email: 'new@example.com' }, { email: 'old@example.com', verified: true }],
  })
  await add('deactivated', { isActive: false })
  await add('protected')
  const social = await add('social')
  await insert(site, 'socialaccount_socialaccount', { user_id: social, provider: 'github', uid: '1' })
  const writer = await add('content')
  await insert(site, 'blog_post', { author_id: writer })
  const reminded = await add('confirmed')
  const [address] = (await rowsOf(site.db, 'account_emailaddress')).filter((row) => row.user_id === reminded)
  await insert(site, 'account_emailconfirmation', {
    email_address_id: address?.id ?? null,
    created: '2026-06-02T00:00:00Z',
    sent: '2026-06-02T00:00:00Z',
    key: 'k',
  })
}

const POST = `create table blog_post (id {key}, author_id integer references auth_user (id));
  create index blog_post_author on blog_post (author_id);`

const STRICT = { recentAfter: '2026-06-01T00:00:00Z', protect: ['PROTECTED'] }

describeEachDatabase('candidates', (harness) => {
  test('each guard keeps its user, and is the reason that is given', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    await guarded(site)
    const users = await listed(site, {
      criteria: criteria({ guards: STRICT }),
      fields: ['username', 'kept_because'],
    })
    const reasons = Object.fromEntries(users.map((user) => [user.username, user.kept_because]))
    expect(reasons).toEqual({
      nobody: [],
      recent: ['recent'],
      confirmed: ['recent'],
      staff: ['staff'],
      superuser: ['staff'],
      'verified-address': ['verified-address'],
      deactivated: ['deactivated'],
      protected: ['protected'],
      social: ['social'],
      content: ['content'],
    })
  })

  test.each<[GuardName, Parameters<typeof criteria>[0], string[]]>([
    ['recent', { guards: { protect: STRICT.protect } }, ['confirmed', 'recent']],
    ['staff', { guards: { ...STRICT, include: ['staff'] } }, ['staff', 'superuser']],
    ['verified-address', { guards: { ...STRICT, include: ['verified-address'] } }, ['verified-address']],
    ['social', { guards: { ...STRICT, include: ['social'] } }, ['social']],
    ['deactivated', { guards: { ...STRICT, include: ['deactivated'] } }, ['deactivated']],
    ['content', { guards: STRICT, rules: { cascade: ['blog_post'] } }, ['content']],
  ])('the guard %s has an opt-out of its own', async (_guard, parts, freed) => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    await guarded(site)
    const chosen = criteria(parts)
    const deletable = await listed(site, { criteria: chosen, fields: ['username'], show: 'deletable' })
    expect(deletable.map((user) => user.username).sort()).toEqual(['nobody', ...freed].sort())
    const report = await purge(site, chosen, await planPurge(site, chosen, { batchSize: 3 }))
    expect(report.deleted).toBe(1 + freed.length)
  })

  test('whoever may have been deactivated is kept', async () => {
    const site = await createSite(harness, 'custom-bare', 'alter table login add column is_active boolean')
    await addUser(site, { columns: { is_active: null } })
    expect(await tally(site, criteria())).toMatchObject({ deletable: 0, kept: { deactivated: 1 } })
  })

  test("whoever administers the user model of Django's documentation is kept", async () => {
    const site = await createSite(harness, 'custom-bare', 'alter table login add column is_admin boolean')
    await addUser(site, { columns: { is_admin: true } })
    await addUser(site, { columns: { is_admin: false } })
    expect(await tally(site, criteria())).toMatchObject({ deletable: 1, kept: { staff: 1 } })
  })

  test('counting, listing, planning and deleting agree', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    await guarded(site)
    const chosen = criteria({ guards: STRICT })
    const plan = await planPurge(site, chosen, { batchSize: 4 })
    const counted = await tally(site, chosen)
    expect(counted).toEqual({ matched: plan.matched, deletable: plan.toDelete, kept: plan.kept })
    expect(plan.kept).toEqual({
      recent: 2,
      staff: 2,
      'verified-address': 1,
      social: 1,
      deactivated: 1,
      content: 1,
      protected: 1,
    })
    expect(await listed(site, { criteria: chosen, show: 'kept' })).toHaveLength(plan.matched - plan.toDelete)
  })

  test('the cut-off is exact to the microsecond, and a user with two primary rows is listed once', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site, { username: 'never', lastLogin: null })
    await addUser(site, { username: 'at', lastLogin: CUTOFF })
    await addUser(site, { username: 'after', lastLogin: '2020-01-01T00:00:00.000001Z' })
    await addUser(site, { username: 'before', lastLogin: '2019-12-31T23:59:59.999999Z' })
    await addUser(site, { username: 'verified', addresses: [{ email: 'v@example.com', verified: true }] })
    await addUser(site, { username: 'none', addresses: [] })
    await addUser(site, {
      username: 'secondary',
      addresses: [{ email: 's@example.com', primary: false }],
    })
    expect(await names(site, criteria())).toEqual(['at', 'before', 'never'])
  })

  test.each([
    ['bücher.example', 'xn--bcher-kva.example'],
    ['XN--bcher-kva.example', 'Bücher.example'],
  ])('an international domain is the same in both forms: %s, %s', async (stored, named) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site, { username: 'ann', addresses: [{ email: `ann@${stored}` }] })
    await addUser(site, { username: 'bob', addresses: [{ email: 'bob@bucher.example' }] })
    expect(await names(site, criteria({ selection: { emailDomains: [named] } }))).toEqual(['ann'])
    for (const entry of [`@${named}`, `ann@${named}`]) {
      const plan = await planPurge(site, criteria({ guards: { protect: [entry] } }))
      expect(plan).toMatchObject({ toDelete: 1, kept: { protected: 1 } })
    }
  })

  test('filters narrow the selection', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const bob = await addUser(site, { username: 'Bob', addresses: [{ email: 'Bob@Mail.example' }] })
    await addUser(site, { username: 'eve', addresses: [{ email: 'eve@notmail.example' }] })
    const old = await addUser(site, {
      username: 'old',
      lastLogin: '2019-01-01T00:00:00Z',
      dateJoined: '2018-01-01T00:00:00Z',
    })
    const by = (selection: Parameters<typeof criteria>[0]) => names(site, criteria(selection))
    expect(await by({ selection: { emailDomains: ['mail.EXAMPLE'] } })).toEqual(['Bob'])
    for (const domain of ['m_il.example', '%.example']) {
      expect(await by({ selection: { emailDomains: [domain] } })).toEqual([])
    }
    expect(await by({ selection: { neverLoggedIn: true } })).toEqual(['Bob', 'eve'])
    expect(await by({ selection: { joinedBefore: '2019-01-01T00:00:00Z' } })).toEqual(['old'])
    expect(await by({ selection: { limit: 2 } })).toHaveLength(2)
    for (const user of [bob, 'bob', 'BOB@mail.example']) {
      expect(await by({ selection: { users: [user] } })).toEqual(['Bob'])
      expect(await planPurge(site, criteria({ selection: { users: [user] } }))).toMatchObject({ toDelete: 1 })
    }
    expect(await by({ selection: { users: ['bob', 'eve'], userIds: [bob, old] } })).toEqual(['Bob'])
    expect(await by({ selection: { users: ['eve'], userIds: [bob, old] } })).toEqual([])
    await expect(by({ selection: { users: ['who'] } })).rejects.toThrow(/does not exist/)
    await expect(by({ selection: { userIds: ['x'] } })).rejects.toThrow(/cannot be a user's id/)
  })

  test('a name that could mean two people is refused', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const id = await addUser(site)
    await addUser(site, { username: id })
    await addUser(site, { username: 'Dup' })
    await addUser(site, { username: 'dup' })
    const refusal = (name: string) => names(site, criteria({ selection: { users: [name] } }))
    await expect(refusal(id)).rejects.toMatchObject({
      message: expect.stringContaining('could mean 2 users'),
      hint: expect.stringMatching(/: give a name or an address that only one of them has$/),
    })
    await expect(refusal('DUP')).rejects.toMatchObject({
      hint: expect.stringMatching(/: give one of these, or a name or an address that only one of them has$/),
    })
  })

  test('sorting by a column, either way, with NULL last', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site, { username: 'b', lastLogin: '2018-01-01T00:00:00Z' })
    await addUser(site, { username: 'c', lastLogin: null })
    await addUser(site, { username: 'a', lastLogin: '2019-01-01T00:00:00.5Z' })
    const sorted = async (field: 'last_login' | 'username', descending: boolean) =>
      (await listed(site, { fields: ['username'], sort: { field, descending } })).map((user) => user.username)
    expect(await sorted('last_login', false)).toEqual(['b', 'a', 'c'])
    expect(await sorted('last_login', true)).toEqual(['a', 'b', 'c'])
    expect(await sorted('username', true)).toEqual(['c', 'b', 'a'])
  })

  test('an empty answer says how many users each condition leaves', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    expect(await explainNothing(site, criteria())).toEqual([
      '1 user in auth_user',
      '1 with an unverified primary address',
      '0 not logged in since the cut-off',
    ])
    const verified = await addUser(site, { addresses: [{ email: 'v@example.com', verified: true }] })
    expect(await explainNothing(site, criteria({ selection: { users: [verified] } }))).toEqual([
      '2 users in auth_user',
      '1 among those named',
      '0 with an unverified primary address',
    ])
  })

  test.each([...REAL_SITES, 'custom-member', 'custom-bare', 'custom-handle'] as const)(
    'a site of kind %s can be listed in full and purged',
    async (name) => {
      const site = await createSite(harness, name)
      await addUser(site, { lastLogin: '2019-01-01T00:00:00.123456Z' })
      const safe = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
      const [user] = await listed(site, {
        fields: ['id', 'username', 'email', 'last_login', 'date_joined', 'is_staff', 'addresses'],
      })
      expect(user?.last_login).toBe('2019-01-01T00:00:00.123456Z')
      expect(user?.addresses).toMatchObject([{ verified: false, primary: true }])
      const all = criteria({ guards: NO_GUARDS })
      const report = await purge(site, all, await planPurge(site, all, { batchSize: 10 }))
      expect(report).toMatchObject({ deleted: 1, failed: [], tables: { account_emailaddress: 1 } })
      const left = await rowsOf(site.db, site.shape.users.label)
      const shown = site.db.dialect.shownKey(safe, site.shape.userKey.type)
      expect(left.map((row) => row[site.shape.userKey.name])).toEqual([shown])
    },
  )

  test.each([
    ['verifies', (id: string) => `update account_emailaddress set verified = true where user_id = ${id}`],
    [
      'logs in',
      (id: string) => `update auth_user set last_login = '2026-01-01 00:00:00+00' where id = ${id}`,
    ],
    ['writes something', (id: string) => `insert into blog_post (author_id) values (${id})`],
  ])('somebody who %s between plan and batch is kept', async (_what, statement) => {
    const site = await createSite(harness, 'django5.2-allauth65', POST)
    const [lucky, bot] = [await addUser(site), await addUser(site)]
    const plan = await planPurge(site, criteria(), { batchSize: 10 })
    const meanwhile = await site.database.connect()
    await meanwhile.run(statement(lucky))
    const report = await purge(site, criteria(), plan)
    expect(report).toMatchObject({ deleted: 1, changed: 1, failed: [] })
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.id)).toEqual([lucky])
    expect(bot).not.toBe(lucky)
  })

  test('a key may hold any character: nobody goes whose key is part of another', async () => {
    const site = await createSite(harness, 'custom-handle')
    const handles = ['victim', 'other', 'victim\u001fother', `o'b"[\\],\n`]
    for (const handle of handles) await addUser(site, { username: `user ${handle}`, columns: { handle } })
    for (const size of [1, 10]) {
      const chosen = criteria({ selection: { users: [handles[size === 1 ? 2 : 3] ?? ''] } })
      const report = await purge(site, chosen, await planPurge(site, chosen, { batchSize: size }))
      expect(report).toMatchObject({ deleted: 1, changed: 0, failed: [] })
    }
    expect((await rowsOf(site.db, 'person')).map((row) => row.handle)).toEqual(['victim', 'other'])
  })

  test('what belongs to whom, where allauth does not refer to the primary key', async () => {
    const photos = `create table photo (id {key}, owner_id integer references person (id));
      alter table person add column avatar_id integer references photo (id);`
    const site = await createSite(harness, 'custom-handle', photos)
    for (const name of ['own', 'admired', 'admirer']) {
      const columns = { handle: name, avatar_id: null }
      await addUser(site, {
        username: name,
        lastLogin: name === 'admirer' ? '2024-01-01T00:00:00Z' : null,
        columns,
      })
      await site.database.run(
        `insert into photo (owner_id) select id from person where handle = '${name}' and handle <> 'admirer'`,
      )
    }
    const shown = (handle: string, owner: string) =>
      site.database.run(`update person set avatar_id = (select photo.id from photo join person p on p.id = owner_id
        where p.handle = '${owner}') where handle = '${handle}'`)
    await shown('own', 'own')
    await shown('admirer', 'admired')
    const chosen = criteria({ rules: { cascade: ['photo'] } })
    const report = await purge(site, chosen, await planPurge(site, chosen, { batchSize: 10 }))
    expect(report).toMatchObject({ matched: 2, deleted: 1, kept: { content: 1 }, failed: [] })
    expect((await rowsOf(site.db, 'person')).map((row) => row.handle)).toEqual(['admired', 'admirer'])
  })

  test('a limit cuts what is deleted, the lowest keys first', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    for (let i = 0; i < 5; i++) await addUser(site, { username: `bot${i}` })
    const chosen = criteria({ selection: { limit: 2 } })
    const report = await purge(site, chosen, await planPurge(site, chosen, { batchSize: 10 }))
    expect(report).toMatchObject({ matched: 5, deleted: 2 })
    expect(await names(site, criteria())).toEqual(['bot2', 'bot3', 'bot4'])
  })

  test('a reminder within the grace period keeps a user, once there is a ledger', async () => {
    const bare = await createSite(harness, 'django5.2-allauth65')
    const reminded = await addUser(bare, { username: 'reminded' })
    const site = await withTables(
      bare,
      'create table usermgmt_run (id varchar(36)); create table usermgmt_reminder (user_key varchar(255), status varchar(10), created_at {instant})',
    )
    await insert(site, 'usermgmt_reminder', {
      user_key: reminded,
      status: 'sent',
      created_at: '2026-06-02T00:00:00Z',
    })
    expect(await tally(site, criteria({ guards: STRICT }))).toMatchObject({ kept: { recent: 1 } })
  })
})

describeDatabase('sqlite', 'a user', (harness) => {
  test('whose dates nobody can read is kept', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const unreadable = [
      '1793491200',
      '2461000.5',
      "''",
      "'2019-Nov-01'",
      "' 2019-11-01 01:02:03'",
      "'01/11/2019'",
      "x'00'",
      "'2019-11-01 01:02:03-05:00'",
      "'2019-11-01T01:02:03.123456+05:30'",
    ]
    for (const i of unreadable.keys()) await addUser(site, { username: `login-${i}` })
    for (const i of unreadable.keys()) await addUser(site, { username: `joined-${i}` })
    for (const [i, date] of unreadable.entries()) {
      await site.database.run(`update auth_user set last_login = ${date} where username = 'login-${i}';
        update auth_user set date_joined = ${date} where username = 'joined-${i}'`)
    }
    const plan = await planPurge(site, criteria({ guards: { recentAfter: '2025-01-01T00:00:00Z' } }))
    const joined = await planPurge(site, criteria({ selection: { joinedBefore: '2025-01-01T00:00:00Z' } }))
    expect(joined).toMatchObject({ matched: 0 })
    expect(plan).toMatchObject({ matched: 9, toDelete: 0, kept: { recent: 9 } })
  })

  const FLAGS = ["'t'", "'True'", "'yes'", "''", '2', "x'01'"]

  test.each(FLAGS)('who may be staff is kept: %s', async (flag) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    for (const username of ['staff', 'superuser', 'neither']) await addUser(site, { username })
    await site.database.run(`update auth_user set is_staff = ${flag} where username = 'staff';
      update auth_user set is_superuser = ${flag} where username = 'superuser'`)
    expect(await planPurge(site, criteria())).toMatchObject({ matched: 3, toDelete: 1, kept: { staff: 2 } })
  })

  test.each(FLAGS)('whose address may be verified is kept: %s', async (flag) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    for (const username of ['plain', 'other', 'verified']) await addUser(site, { username })
    await site.database.run(`
      insert into account_emailaddress (email, verified, "primary", user_id)
        select 'other@b.cd', ${flag}, 0, id from auth_user where username = 'other';
      update account_emailaddress set verified = ${flag} where email = 'verified@example.com'`)
    const plan = await planPurge(site, criteria())
    expect(plan).toMatchObject({ matched: 2, toDelete: 1, kept: { 'verified-address': 1 } })
  })

  test.each(['2019-11-01 01:02:03+00:00', '2019-11-01T01:02:03.000001Z', '2019-11-01 01:02:03+00'])(
    'whose dates are in UTC, as %s, is selected',
    async (date) => {
      const site = await createSite(harness, 'django5.2-allauth65')
      await addUser(site)
      await site.database.run(`update auth_user set last_login = '${date}', date_joined = '${date}'`)
      const plan = await planPurge(site, criteria({ guards: { recentAfter: '2025-01-01T00:00:00Z' } }))
      expect(plan).toMatchObject({ matched: 1, toDelete: 1 })
    },
  )
})
