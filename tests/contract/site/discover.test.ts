import { expect, test } from 'vitest'
import { discoverShape } from '../../../src/site/discover.ts'
import { USER_COLUMNS } from '../../../src/site/site-names.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase, type Harness } from '../../support/databases.ts'
import { errorOf, wordsOf } from '../../support/errors.ts'
import { createSite, rowsOf, type SiteName, siteIn } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

interface Expected {
  readonly users: string
  readonly key: string
  readonly missing: readonly string[]
  readonly without?: readonly string[]
}

const NO_APPS = ['socialAccounts', 'djangoSites']

const SITES: readonly [SiteName, Expected][] = [
  ['django3.2-allauth0.51', { users: 'auth_user', key: 'id', missing: [] }],
  ['django5.2-allauth65', { users: 'auth_user', key: 'id', missing: [] }],
  ['known-apps', { users: 'auth_user', key: 'id', missing: [] }],
  ['cookiecutter', { users: 'users_user', key: 'id', missing: ['username', 'first_name', 'last_name'] }],
  [
    'uuid-user',
    { users: 'cuser_user', key: 'id', missing: ['username', 'first_name', 'last_name', 'date_joined'] },
  ],
  [
    'custom-member',
    {
      users: 'people_member',
      key: 'member_no',
      missing: ['username', 'first_name', 'last_name', 'date_joined', 'is_staff', 'is_superuser'],
      without: NO_APPS,
    },
  ],
  [
    'custom-bare',
    {
      users: 'login',
      key: 'id',
      missing: USER_COLUMNS.filter((name) => name !== 'password' && name !== 'last_login'),
      without: NO_APPS,
    },
  ],
  [
    'custom-handle',
    { users: 'person', key: 'handle', missing: ['email', 'first_name', 'last_name'], without: NO_APPS },
  ],
]

describeEachDatabase('discovery', (harness) => {
  test.each(SITES)('%s', async (name, { users, key, missing, without = [] }) => {
    const { shape } = await createSite(harness, name)
    expect(shape.users.label).toBe(users)
    expect(shape.userKey.name).toBe(key)
    expect(USER_COLUMNS.filter((column) => !shape.userColumns.has(column))).toEqual(missing)
    expect(shape.emailAddresses.label).toBe('account_emailaddress')
    expect(shape.confirmations?.label).toBe('account_emailconfirmation')
    expect(shape.socialAccounts === undefined).toBe(without.includes('socialAccounts'))
    expect(shape.djangoSites === undefined).toBe(without.includes('djangoSites'))
    expect(shape.hasLedger).toBe(false)
  })

  test.each(SITES)('%s: its tables read what was written', async (name, { missing }) => {
    const site = await createSite(harness, name)
    const lastLogin = '2020-01-01T00:00:00.123456Z'
    const key = await addUser(site, { username: 'Zoë', lastLogin, isActive: false })
    const { users, emailAddresses } = site.tables
    const [user] = await site.db.select().from(users)
    expect(user).toMatchObject({ key, last_login: lastLogin })
    for (const column of missing) expect(user).not.toHaveProperty(column)
    if (!missing.includes('is_active')) expect(user).toMatchObject({ is_active: false })
    expect(await site.db.select().from(emailAddresses)).toEqual([
      { id: '1', user: key, email: 'Zoë@example.com', verified: false, primary: true },
    ])
  })

  test('the type of the key is the one that the user table declares', async () => {
    const types: Partial<Record<SiteName, string>> = {}
    for (const name of ['django5.2-allauth65', 'cookiecutter', 'uuid-user'] as const) {
      types[name] = (await createSite(harness, name)).shape.userKey.type
    }
    expect(types).toEqual(
      harness.pick({
        sqlite: { 'django5.2-allauth65': 'integer', cookiecutter: 'integer', 'uuid-user': 'char(32)' },
        postgres: { 'django5.2-allauth65': 'integer', cookiecutter: 'bigint', 'uuid-user': 'uuid' },
      }),
    )
  })

  test('the tables of the tool are recognized', async () => {
    const site = await createSite(harness, 'custom-bare', 'create table usermgmt_run (id {key})')
    expect(site.shape.hasLedger).toBe(true)
  })

  test('columns under other names', async () => {
    const tables =
      'alter table login add column nick varchar(40); alter table login add column since {instant}'
    const { database } = await createSite(harness, 'custom-bare', tables)
    const site = await siteIn(database, { columns: { username: 'nick', date_joined: 'since' } })
    await addUser(site, { username: 'zoe' })
    expect(await rowsOf(site.db, 'login')).toMatchObject([{ nick: 'zoe', since: '2019-05-01T00:00:00Z' }])
    const { username, date_joined } = site.tables.users
    if (!username || !date_joined) throw new Error('not found under their names')
    expect(await site.db.select({ username, date_joined }).from(site.tables.users)).toEqual([
      { username: 'zoe', date_joined: '2019-05-01T00:00:00Z' },
    ])
  })
})

/** Without the foreign key that says so: as after an import, or on MyISAM. */
const ADDRESSES = `create table account_emailaddress (id {key}, email varchar(254) not null,
  verified {bool} not null, "primary" {bool} not null, user_id integer not null);`
const usersTable = (name: string) =>
  `create table ${name} (id {key}, password varchar(128) not null, last_login {instant});`

async function discovered(harness: Harness, script: string, names = {}) {
  const { db, run } = await harness.empty()
  await run(script)
  return discoverShape(db, names)
}

describeEachDatabase('the user table without a foreign key to it', (harness) => {
  test('is found through the log of the admin', async () => {
    const log = `create table django_admin_log (id {key}, user_id integer not null references admin_user (id))`
    const shape = await discovered(
      harness,
      ADDRESSES + usersTable('old_user') + usersTable('admin_user') + log,
    )
    expect(shape.users.label).toBe('admin_user')
  })

  test('is the only one with passwords and logins', async () => {
    const shape = await discovered(harness, `${ADDRESSES}${usersTable('member')}create table x (id {key})`)
    expect([shape.users.label, shape.userKey.name]).toEqual(['member', 'id'])
  })

  test('is the one that the configuration names', async () => {
    const script = ADDRESSES + usersTable('one') + usersTable('two')
    const shape = await discovered(harness, script, { users: 'two' })
    expect(shape.users.label).toBe('two')
  })

  test('lets nobody be deleted: what belongs to an account cannot be told', async () => {
    const database = await harness.empty()
    await database.run(ADDRESSES + usersTable('member'))
    const site = await siteIn(database)
    const error = await wordsOf(() => planPurge(site, criteria()))
    expect(error.message).toMatch(/^account_emailaddress has no foreign key to member: /)
    expect(error.kind).toBe('refused')
  })

  test('an address table under another name', async () => {
    const script = ADDRESSES.replace('account_emailaddress', 'mail') + usersTable('member')
    const shape = await discovered(harness, script, { emailAddresses: 'mail' })
    expect(shape.emailAddresses.label).toBe('mail')
  })
})

describeEachDatabase('no site', (harness) => {
  test.each([
    ['an empty database', '', {}, 'the database is empty'],
    ['another application', usersTable('member'), {}, 'there is no table account_emailaddress'],
    [
      'two candidates',
      ADDRESSES + usersTable('a') + usersTable('b'),
      {},
      'cannot tell which table holds the users',
    ],
    ['no candidate', ADDRESSES, {}, 'cannot tell which table holds the users'],
    ['no such users', ADDRESSES + usersTable('a'), { users: 'b' }, 'there is no table b'],
    ['no such addresses', ADDRESSES + usersTable('a'), { emailAddresses: 'b' }, 'there is no table b'],
    [
      'no such column',
      ADDRESSES + usersTable('a'),
      { columns: { username: 'nick' } },
      'the user table a has no column nick',
    ],
    [
      'users without a key',
      `${ADDRESSES} create table a (password text, last_login {instant})`,
      {},
      'the user table a has no primary key',
    ],
    [
      'addresses without a key',
      `create table account_emailaddress (email text, user_id integer); ${usersTable('a')}`,
      {},
      'the address table account_emailaddress has no primary key',
    ],
    [
      'several names, all told at once',
      ADDRESSES + usersTable('a'),
      {
        users: 'nope',
        emailAddresses: 'account_emailadress',
        columns: { username: 'nick', password: 'pasword' },
      },
      `the configuration file names what is not in the database:
  tables.users: there is no table nope
  tables.email_addresses: there is no table account_emailadress (did you mean account_emailaddress?)
  columns.username: the user table a has no column nick
  columns.password: the user table a has no column pasword (did you mean password?)`,
    ],
  ])('%s', async (_, script, names, message) => {
    const error = await errorOf(() => discovered(harness, script, names))
    expect(error).toMatchObject({ name: 'UserError', kind: 'failed' })
    expect(String(error)).toContain(message)
  })
})

describeDatabase('postgres', 'a flag that is no boolean', (harness) => {
  test.each([
    ['auth_user', 'is_staff', 'smallint'],
    ['account_emailaddress', 'verified', 'character varying(5)'],
  ])('%s.%s', async (table, column, type) => {
    const { database } = await createSite(harness, 'django3.2-allauth0.51')
    await database.run(`alter table ${table} alter ${column} type ${type} using '0'`)
    await expect(discoverShape(database.db)).rejects.toThrow(
      `${table}.${column} is ${type}, where Django has boolean`,
    )
  })

  test.each([
    ['auth_user', 'last_login', 'character varying(40)'],
    ['auth_user', 'date_joined', 'text'],
    ['auth_user', 'date_joined', 'bigint'],
    ['account_emailconfirmation', 'sent', 'text'],
  ])('nor a time: %s.%s is %s', async (table, column, type) => {
    const { database } = await createSite(harness, 'django3.2-allauth0.51')
    await database.run(`alter table ${table} alter ${column} type ${type} using '0'`)
    await expect(discoverShape(database.db)).rejects.toThrow(
      `${table}.${column} is ${type}, where Django has a time`,
    )
  })

  test.each(['timestamp', 'timestamptz(3)', 'date', 'moment'])('but %s', async (type) => {
    const { database } = await createSite(harness, 'django3.2-allauth0.51')
    const [old, lately] = ['2019-01-01T00:00:00Z', '2026-01-01T00:00:00Z']
    for (const lastLogin of [old, lately]) await addUser(await siteIn(database), { lastLogin })
    await database.run(
      `create domain moment as timestamptz; alter table auth_user alter last_login type ${type}`,
    )
    expect(await planPurge(await siteIn(database), criteria())).toMatchObject({ matched: 1 })
  })

  test('but a domain of booleans', async () => {
    const { database } = await createSite(harness, 'django3.2-allauth0.51')
    await addUser(await siteIn(database), { isStaff: true })
    await database.run('create domain flag as boolean; alter table auth_user alter is_staff type flag')
    expect(await planPurge(await siteIn(database), criteria())).toMatchObject({ kept: { staff: 1 } })
  })
})
