import { describe, expect, test } from 'vitest'
import { create, expectRefusal } from '../../support/create.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { allRowsOf, createSite, insert, REAL_SITES, rowsOf, siteIn } from '../../support/sites.ts'

describeEachDatabase('create-user on', (harness) => {
  describe('groups', () => {
    test('one that does not exist', async () => {
      const site = await createSite(harness, 'django5.2-allauth65')
      await insert(site, 'auth_group', { name: 'editors' })
      await expectRefusal(
        site,
        { groups: ['editors', 'editor'] },
        'there is no group "editor" (did you mean editors?)',
      )
    })

    test('the table is found, whatever it is called', async () => {
      const site = await createSite(
        harness,
        'custom-handle',
        `create table auth_group (id {key}, name varchar(150) not null unique);
        create table club (id {key}, person varchar(40) not null references person (handle), g integer not null references auth_group (id), since {instant} not null);
        create table circle (id {key}, member integer not null references person (id), g integer not null references auth_group (id));`,
      )
      const group = await insert(site, 'auth_group', { name: 'editors' })
      // The database knows how to fill the handle, which Django does not leave to it.
      await site.database.run(
        harness.pick({
          sqlite: `create table person2 as select * from person; drop table person; create table person (id {key}, handle varchar(40) not null unique default 'h1', password varchar(128) not null,
            last_login {instant}, username varchar(150) not null, date_joined {instant} not null,
            is_active {bool} not null, is_staff {bool} not null, is_superuser {bool} not null)`,
          postgres: "alter table person alter handle set default 'h1'",
        }),
      )
      const found = await siteIn(site.database)
      expect(await create(found, { groups: ['editors'] })).toMatchObject({ id: 'h1' })
      expect(await rowsOf(site.db, 'circle')).toMatchObject([{ member: '1', g: group }])
      expect(await rowsOf(site.db, 'club')).toEqual([])
    })

    test('a user model without', async () => {
      const site = await createSite(harness, 'custom-bare')
      await expectRefusal(
        site,
        { username: undefined, groups: ['editors'] },
        'the users of login have no groups',
      )
    })
  })

  describe('other user models', () => {
    test.each(REAL_SITES)('%s', async (name) => {
      const site = await createSite(harness, name)
      const group = await insert(site, 'auth_group', { name: 'editors' })
      const username = site.shape.userColumns.has('username') ? 'ann' : undefined
      const user = await create(site, { username, groups: ['editors'] })
      expect(user).toMatchObject({ username, email: 'ann@example.com' })
      const label = site.shape.users.label
      const rows = await allRowsOf(site.db)
      expect(rows[label]).toMatchObject([{ id: user.id, email: 'ann@example.com' }])
      expect(rows.account_emailaddress).toMatchObject([{ user_id: user.id, primary: true }])
      expect(rows[`${label}_groups`]).toMatchObject([{ user_id: user.id, group_id: group }])
    })

    test('a UUID key is made, and shown with dashes', async () => {
      const site = await createSite(harness, 'uuid-user')
      const { id, leftEmpty } = await create(site, { username: undefined })
      expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      expect(leftEmpty).toEqual(['name'])
      const [stored] = await site.database.connect().then((other) => other.rows('select id from cuser_user'))
      expect(stored?.id).toBe(harness.pick({ sqlite: id.replaceAll('-', ''), postgres: id }))
    })

    test('nothing but a password', async () => {
      const site = await createSite(harness, 'custom-bare')
      expect(await create(site, { username: undefined })).toMatchObject({ id: '1', username: undefined })
      expect(await rowsOf(site.db, 'login')).toMatchObject([{ id: '1', last_login: null }])
      expect(await rowsOf(site.db, 'account_emailaddress')).toMatchObject([{ email: 'ann@example.com' }])
    })

    test('what the model has no column for', async () => {
      const site = await createSite(harness, 'custom-bare')
      const user = { firstName: 'Ann', isStaff: true, isInactive: true, dateJoined: '2019-05-01T00:00:00Z' }
      await expectRefusal(
        site,
        user,
        'the user table login has no column username, first_name, is_staff, is_active, date_joined',
      )
    })

    test('columns whose value only the site knows', async () => {
      const site = await createSite(harness, 'custom-member')
      await expectRefusal(
        site,
        { username: undefined },
        harness.pick({
          // JSON is text there, and the empty text a text.
          sqlite: 'people_member has columns that need a value and have no default here: tenant',
          postgres: 'people_member has columns that need a value and have no default here: tenant, settings',
        }),
      )
    })

    test('a text key is never left empty', async () => {
      const site = await createSite(harness, 'custom-handle')
      await expectRefusal(site, {}, 'person has columns that need a value and have no default here: handle')
    })

    test('other UUIDs are made up, those that refer to a row are not', async () => {
      const site = await createSite(
        harness,
        'custom-bare',
        'create table org (id {uuid} not null primary key)',
      )
      const add = (column: string) =>
        site.database.run(
          harness.pick({
            sqlite: `drop table login; create table login (id {key}, password varchar(128) not null, ${column})`,
            postgres: `alter table login add ${column}`,
          }),
        )
      await add('public_id {uuid} not null')
      await create(await siteIn(site.database), { username: undefined })
      expect(await rowsOf(site.db, 'login')).toMatchObject([
        { public_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      ])
      await site.database.run('delete from account_emailaddress; delete from login')
      await add('org_id {uuid} not null references org (id)')
      await expectRefusal(await siteIn(site.database), { username: undefined }, /no default here: org_id$/)
    })
  })
})
