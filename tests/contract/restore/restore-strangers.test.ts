import { beforeEach, describe, expect, test } from 'vitest'
import { archivedUsers } from '../../../src/users/archive/archived-users.ts'
import { findArchived } from '../../../src/users/archive/find-archived.ts'
import { openArchive } from '../../../src/users/archive/open-archive.ts'
import { purgeInto, putBack } from '../../support/archives.ts'
import { NO_GUARDS } from '../../support/criteria.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser, type NewUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const SOMEBODY_ELSE = 'the id belongs to somebody else by now, so nothing of this user is put back'

/** What hangs on an account, over one step and over two. */
function belongings(users: string, key: string, type: string): string {
  const user = `${type} references ${users} (${key}) deferrable initially deferred`
  return `
  create table profile (user_id ${type} primary key references ${users} (${key}) deferrable initially deferred, nick text);
  create table link (id {key}, profile_id ${type} references profile (user_id) deferrable initially deferred, url text);
  create index link_profile on link (profile_id);
  create table orders (id {key}, user_id ${user});
  create index orders_user on orders (user_id);
  create table post (id {key}, author_id ${user}, title text);
  create index post_author on post (author_id);
  create table remark (id {key}, author_id ${user}, post_id integer references post (id) deferrable initially deferred);
  create index remark_author on remark (author_id);
  create index remark_post on remark (post_id);`
}

const SOCIAL = `create table socialaccount_socialaccount (id {key}, provider varchar(20) not null, uid varchar(40) not null,
  user_id bigint not null references people_member (member_no) deferrable initially deferred);
  create index social_user on socialaccount_socialaccount (user_id);`

const PURGE = {
  rules: { cascade: ['profile', 'link', 'post', 'remark'], setNull: ['orders.user_id'] },
  guards: NO_GUARDS,
}

const SITES = [
  ['with date_joined', 'django5.2-allauth65', belongings('auth_user', 'id', 'integer')],
  ['without', 'custom-member', `${belongings('people_member', 'member_no', 'bigint')}${SOCIAL}`],
] as const

/** A user whom everything belongs to that may. */
async function addOwner(site: TestSite, name: string): Promise<string> {
  const user = await addUser(site, {
    username: name,
    email: `${name}@example.com`,
    password: `md5$salt$${name}`,
  })
  await insert(site, 'socialaccount_socialaccount', { provider: 'google', uid: name, user_id: user })
  await insert(site, 'profile', { user_id: user, nick: name })
  await insert(site, 'link', { profile_id: user, url: name })
  await insert(site, 'orders', { user_id: user })
  const [address] = (await rowsOf(site.db, 'account_emailaddress')).filter(({ user_id }) => user_id === user)
  await insert(site, 'account_emailconfirmation', { email_address_id: Number(address?.id), key: name })
  return user
}

/** Somebody who is active, with a key that is given. */
function addStranger(site: TestSite, key: string, stranger: NewUser = {}): Promise<string> {
  return addUser(site, {
    username: 'stranger',
    lastLogin: '2026-01-01T00:00:00Z',
    dateJoined: '2026-01-01T00:00:00Z',
    password: 'md5$pepper$stranger',
    addresses: [{ email: 'stranger@example.com', verified: true }],
    ...stranger,
    columns: { [site.shape.userKey.name]: key },
  })
}

describeEachDatabase('a restoration, when somebody else has the id', (harness) => {
  describe.each(SITES)('%s', (_, name, tables) => {
    test.each([1, 1000])('leaves out all that belonged to the user, %i in a batch', async (size) => {
      const site = await createSite(harness, name, tables)
      const users = site.shape.users.label
      const bot = await addOwner(site, 'bot')
      const other = await addOwner(site, 'other')
      const before = await allRowsOf(site.db)
      const { path } = await purgeInto(directory, site, { ...PURGE, size })
      await addStranger(site, bot)
      const purged = await allRowsOf(site.db)
      const belongsTo = (rows: typeof before, user: string) =>
        ['socialaccount_socialaccount', 'profile', 'link', 'orders', 'account_emailaddress'].map((table) =>
          rows[table]?.filter((row) => (row.user_id ?? row.profile_id) === user),
        )
      const failed = [{ user: bot, table: users, reason: SOMEBODY_ELSE }]
      for (const dryRun of [true, false]) {
        expect(await putBack(site, path, { dryRun })).toMatchObject({
          restored: {
            [users]: 1,
            account_emailaddress: 1,
            account_emailconfirmation: 1,
            profile: 1,
            link: 1,
          },
          relinked: { orders: 1 },
          failed,
        })
      }
      const after = await allRowsOf(site.db)
      expect(belongsTo(after, bot).map((rows) => rows ?? [])).toEqual(
        belongsTo(purged, bot).map((rows) => rows ?? []),
      )
      expect(belongsTo(after, other)).toEqual(belongsTo(before, other))
      expect(after.account_emailconfirmation).toMatchObject([{ key: 'other' }])
      expect(await putBack(site, path)).toMatchObject({ restored: {}, relinked: {}, failed })
      expect(await allRowsOf(site.db)).toEqual(after)
    })

    test('also when only that user is asked for', async () => {
      const site = await createSite(harness, name, tables)
      const bot = await addOwner(site, 'bot')
      const { path } = await purgeInto(directory, site, PURGE)
      await addStranger(site, bot)
      const before = await allRowsOf(site.db)
      expect(await putBack(site, path, { users: [bot] })).toMatchObject({
        restored: {},
        relinked: {},
        failed: [{ user: bot, reason: SOMEBODY_ELSE }],
      })
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test.each([
      ['has logged in', ['last_login']],
      ['has another name and address', ['username', 'email']],
    ])('knows a user again who %s since', async (_since, columns) => {
      const site = await createSite(harness, name, tables)
      const bot = await addOwner(site, 'bot')
      const { path } = await purgeInto(directory, site, PURGE)
      await putBack(site, path)
      const values: Record<string, string> = {
        last_login: '2026-05-05 00:00:00',
        username: 'new',
        email: 'new@x.org',
      }
      const set = columns.filter((column) => site.shape.users.columns.some(({ name }) => name === column))
      await site.database.run(`update ${site.shape.users.label}
        set ${set.map((column) => `${column} = '${values[column]}'`).join(', ')}
        where ${site.shape.userKey.name} = ${bot}`)
      const before = await allRowsOf(site.db)
      expect(await putBack(site, path)).toMatchObject({ restored: {}, relinked: {}, failed: [] })
      expect(await allRowsOf(site.db)).toEqual(before)
    })
  })

  test.each<[string, NewUser]>([
    ['the same name, and joined later', { username: 'bot', password: 'md5$salt$bot' }],
    ['joined at the same instant', { dateJoined: '2019-05-01T00:00:00Z' }],
  ])('does not take somebody for the user who has %s', async (_, stranger) => {
    const site = await createSite(harness, SITES[0][1], SITES[0][2])
    const bot = await addOwner(site, 'bot')
    const { path } = await purgeInto(directory, site, PURGE)
    await addStranger(site, bot, stranger)
    expect(await putBack(site, path)).toMatchObject({
      restored: {},
      failed: [{ user: bot, reason: SOMEBODY_ELSE }],
    })
  })

  test.each(['', '!', '!unusable', 'md5$$0123'])(
    'takes nobody for the user because of the password %j, which many have',
    async (password) => {
      const site = await createSite(harness, SITES[1][1], SITES[1][2])
      const bot = await addUser(site, { email: 'bot@example.com', password })
      await insert(site, 'profile', { user_id: bot })
      const { path } = await purgeInto(directory, site, PURGE)
      await addStranger(site, bot, { email: 'stranger@example.com', password })
      expect(await putBack(site, path)).toMatchObject({
        restored: {},
        failed: [{ user: bot, reason: SOMEBODY_ELSE }],
      })
    },
  )

  test('takes nobody for the user who joined at the same instant and can log in with no password either', async () => {
    const site = await createSite(harness, SITES[0][1])
    const bot = await addUser(site, { username: 'bot', password: '!' })
    const { path } = await purgeInto(directory, site)
    await addUser(site, { username: 'other', password: '!', addresses: [], columns: { id: bot } })
    expect(await putBack(site, path)).toMatchObject({
      restored: {},
      failed: [{ user: bot, reason: SOMEBODY_ELSE }],
    })
  })

  test('says that only the name is somebody else’s, where others refer to that', async () => {
    const site = await createSite(
      harness,
      SITES[0][1],
      `create table log (id {key}, name varchar(150) references auth_user (username) deferrable initially deferred);
       create index log_name on log (name);`,
    )
    const bot = await addUser(site, { username: 'bot' })
    await insert(site, 'log', { name: 'bot' })
    const { path } = await purgeInto(directory, site, { rules: { cascade: ['log'] } })
    await addUser(site, {
      username: 'bot',
      dateJoined: '2026-01-01T00:00:00Z',
      lastLogin: '2026-01-01T00:00:00Z',
      columns: { id: '99' },
    })
    expect((await putBack(site, path)).failed).toEqual([
      {
        user: bot,
        table: 'auth_user',
        reason: 'taken already: auth_user.username, so nothing of this user is put back',
      },
    ])
    expect(await rowsOf(site.db, 'log')).toEqual([])
  })

  test.each([
    [
      'django5.2-allauth65',
      'username',
      ['log'],
      `create table log (id {key}, name varchar(150) references auth_user (username) deferrable initially deferred);
       create index log_name on log (name);`,
    ],
    ['custom-handle', 'handle', [], ''],
  ] as const)(
    'says so of the id where it and a name are two other people’s (%s)',
    async (model, name, cascade, tables) => {
      const site = await createSite(harness, model, tables)
      const { users } = site.shape
      const bot = await addUser(site, { username: 'bot', columns: { [name]: 'bot' } })
      const [archived] = await rowsOf(site.db, users.label)
      const { path } = await purgeInto(directory, site, { rules: { cascade } })
      const stranger = {
        dateJoined: '2026-01-01T00:00:00Z',
        lastLogin: '2026-01-01T00:00:00Z',
        addresses: [],
      }
      await addUser(site, { ...stranger, columns: { id: Number(archived?.id), [name]: 'stranger' } })
      await addUser(site, { ...stranger, columns: { id: 99, [name]: 'bot' } })
      expect((await putBack(site, path)).failed).toEqual([
        { user: bot, table: users.label, reason: SOMEBODY_ELSE },
      ])
    },
  )

  test('takes nobody for the user because both rows are alike', async () => {
    const site = await createSite(harness, 'custom-bare')
    const bot = await addUser(site, { password: '!', addresses: [{ email: 'bot@example.com' }] })
    const { path } = await purgeInto(directory, site)
    expect(await putBack(site, path)).toMatchObject({ restored: { login: 1 }, failed: [] })
    expect(await putBack(site, path)).toMatchObject({ restored: {}, skipped: 2, failed: [] })
    await purgeInto(directory, site)
    await addUser(site, {
      password: '!',
      addresses: [{ email: 'stranger@example.com' }],
      columns: { id: bot },
    })
    const before = await allRowsOf(site.db)
    expect(await putBack(site, path)).toMatchObject({
      restored: {},
      failed: [{ user: bot, reason: SOMEBODY_ELSE }],
    })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('takes nobody for the user whose address, another one, has only the number of the archived one', async () => {
    const site = await createSite(harness, 'custom-bare')
    const bot = await addUser(site, { password: '!', addresses: [{ email: 'bot@example.com' }] })
    const [archived] = await rowsOf(site.db, 'account_emailaddress')
    const { path } = await purgeInto(directory, site)
    await addUser(site, { password: '!', addresses: [], columns: { id: bot } })
    await insert(site, 'account_emailaddress', {
      id: Number(archived?.id),
      email: 'stranger@example.com',
      user_id: bot,
    })
    const before = await allRowsOf(site.db)
    expect(await putBack(site, path)).toMatchObject({
      restored: {},
      failed: [{ user: bot, reason: SOMEBODY_ELSE }],
    })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  describe('where keys are the same in any case', () => {
    const looseSite = async () => {
      const type = harness.pick({ sqlite: 'varchar(40) collate nocase', postgres: 'citext' })
      const site = await createSite(
        harness,
        'custom-bare',
        `${harness.pick({ sqlite: '', postgres: 'create extension citext;' })}
        drop table account_emailconfirmation; drop table account_emailaddress; drop table login;
        create table person (id {key}, handle ${type} not null unique, password varchar(128) not null,
          last_login {instant}, date_joined {instant} not null);
        create table account_emailaddress (id {key}, email varchar(254) not null, verified {bool} not null,
          "primary" {bool} not null, user_id ${type} not null references person (handle) deferrable initially deferred);
        create index account_emailaddress_user_id on account_emailaddress (user_id);`,
      )
      await addUser(site, { password: 'md5$salt$bob', addresses: [], columns: { handle: 'Bob' } })
      const address = { email: 'bob@example.com', verified: false, primary: true, user_id: 'bob' }
      await insert(site, 'account_emailaddress', address)
      return site
    }

    test('finds what belongs to the user', async () => {
      const site = await looseSite()
      const before = await allRowsOf(site.db)
      const { path } = await purgeInto(directory, site)
      const archive = await openArchive(path)
      try {
        expect(await findArchived(site, archive, ['bob@example.com'])).toEqual(['Bob'])
        const shown = []
        for await (const each of archivedUsers(archive)) shown.push(each)
        expect(shown).toMatchObject([{ id: 'Bob', email: 'bob@example.com' }])
      } finally {
        await archive.reader.close()
      }
      expect(await putBack(site, path, { users: ['Bob'] })).toMatchObject({
        restored: { person: 1, account_emailaddress: 1 },
        failed: [],
      })
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test('leaves the user out when somebody else has the name', async () => {
      const site = await looseSite()
      const { path } = await purgeInto(directory, site)
      await addUser(site, {
        password: 'md5$pepper$other',
        dateJoined: '2026-01-01T00:00:00Z',
        lastLogin: '2026-01-01T00:00:00Z',
        addresses: [],
        columns: { id: '99', handle: 'BOB' },
      })
      const before = await allRowsOf(site.db)
      for (const dryRun of [true, false]) {
        expect(await putBack(site, path, { dryRun })).toMatchObject({
          restored: {},
          failed: [{ user: 'Bob', table: 'person', reason: SOMEBODY_ELSE }],
        })
      }
      expect(await allRowsOf(site.db)).toEqual(before)
    })
  })

  test('by a name that others refer to', async () => {
    const site = await createSite(harness, 'custom-handle')
    await addUser(site, { username: 'bot', columns: { handle: 'bot' } })
    const { path } = await purgeInto(directory, site)
    await addUser(site, {
      dateJoined: '2026-01-01T00:00:00Z',
      lastLogin: '2026-01-01T00:00:00Z',
      columns: { handle: 'bot' },
    })
    const before = await allRowsOf(site.db)
    expect(await putBack(site, path)).toMatchObject({
      restored: {},
      failed: [{ user: 'bot', table: 'person', reason: SOMEBODY_ELSE }],
    })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('puts no confirmation under an address that is somebody else’s', async () => {
    const site = await createSite(harness, SITES[0][1], SITES[0][2])
    const bot = await addOwner(site, 'bot')
    const [address] = await rowsOf(site.db, 'account_emailaddress')
    const { path } = await purgeInto(directory, site, PURGE)
    const stranger = await addStranger(site, '999', { addresses: [] })
    const taken = { id: Number(address?.id), user_id: stranger, email: 'stranger@example.com' }
    await insert(site, 'account_emailaddress', { ...taken, verified: false, primary: true })
    const { restored, failed } = await putBack(site, path)
    expect(restored).toMatchObject({ auth_user: 1, profile: 1 })
    expect(failed).toEqual([
      { user: bot, table: 'account_emailaddress', reason: 'taken already: account_emailaddress.id' },
      {
        user: bot,
        table: 'account_emailconfirmation',
        reason: "what it refers to is somebody else's by now: account_emailaddress",
      },
    ])
    expect(await rowsOf(site.db, 'account_emailconfirmation')).toEqual([])
  })

  test.each([1, 1000])('hangs nothing on what is another row by now, %i in a batch', async (size) => {
    const site = await createSite(harness, SITES[0][1], SITES[0][2])
    const [reader, author] = [await addUser(site), await addUser(site)]
    const post = await insert(site, 'post', { author_id: author, title: 'archived' })
    await insert(site, 'remark', { author_id: reader, post_id: post })
    const { path } = await purgeInto(directory, site, { ...PURGE, size })
    const stranger = await addStranger(site, author)
    await insert(site, 'post', { id: post, author_id: stranger, title: 'another' })
    const { restored, failed } = await putBack(site, path, { users: [reader] })
    expect(restored).toEqual({ auth_user: 1, account_emailaddress: 1 })
    // In one batch, the remark went with the post.
    expect(failed.every(({ table }) => table === 'remark')).toBe(true)
    expect(await rowsOf(site.db, 'remark')).toEqual([])
    expect((await putBack(site, path)).failed).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ user: author, reason: SOMEBODY_ELSE })]),
    )
    expect(await rowsOf(site.db, 'remark')).toEqual([])
  })
})
