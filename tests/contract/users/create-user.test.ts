import { describe, expect, test } from 'vitest'
import { create, expectRefusal } from '../../support/create.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { allRowsOf, createSite, insert, rowsOf, siteIn, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

describeEachDatabase('create-user', (harness) => {
  const django = () => createSite(harness, 'django5.2-allauth65')

  describe('what is written', () => {
    test('the least', async () => {
      const site = await django()
      expect(await create(site)).toEqual({
        id: '1',
        username: 'ann',
        email: 'ann@example.com',
        leftEmpty: [],
      })
      expect(await allRowsOf(site.db)).toEqual({
        auth_user: [
          {
            id: '1',
            password: expect.stringMatching(/^![a-zA-Z0-9]{40}$/),
            last_login: null,
            is_superuser: false,
            username: 'ann',
            first_name: '',
            last_name: '',
            email: 'ann@example.com',
            is_staff: false,
            is_active: true,
            date_joined: '2025-06-15T12:00:00.123000Z',
          },
        ],
        account_emailaddress: [
          { id: '1', email: 'ann@example.com', verified: false, primary: true, user_id: '1' },
        ],
      })
    })

    test('everything', async () => {
      const site = await django()
      const editors = await insert(site, 'auth_group', { name: 'editors' })
      await insert(site, 'auth_group', { name: 'others' })
      const created = await create(site, {
        username: 'ﬁona',
        email: ' Fiona@Example.COM ',
        password: 'correct horse battery',
        firstName: ' Fiona ',
        lastName: 'Ångström',
        isStaff: true,
        isInactive: true,
        verified: true,
        groups: ['editors', 'editors'],
        dateJoined: '2019-05-01T10:00:00.000001Z',
        lastLogin: '2020-01-01T00:00:00Z',
      })
      expect(created).toMatchObject({ username: 'fiona', email: 'fiona@example.com' })
      const { auth_user, account_emailaddress, auth_user_groups } = await allRowsOf(site.db)
      expect(auth_user).toEqual([
        {
          id: created.id,
          password: expect.stringMatching(/^pbkdf2_sha256\$1000000\$[a-zA-Z0-9]{22}\$[A-Za-z0-9+/]{43}=$/),
          last_login: '2020-01-01T00:00:00Z',
          is_superuser: false,
          username: 'fiona',
          first_name: 'Fiona',
          last_name: 'Ångström',
          email: 'fiona@example.com',
          is_staff: true,
          is_active: false,
          date_joined: '2019-05-01T10:00:00.000001Z',
        },
      ])
      expect(account_emailaddress).toMatchObject([
        { email: 'fiona@example.com', verified: true, primary: true },
      ])
      expect(auth_user_groups).toMatchObject([{ user_id: created.id, group_id: editors }])
    })

    test('a superuser is staff', async () => {
      const site = await django()
      await create(site, { isSuperuser: true })
      expect(await rowsOf(site.db, 'auth_user')).toMatchObject([{ is_superuser: true, is_staff: true }])
    })
  })

  describe('a username made from the address', () => {
    const nameless = (site: TestSite, email: string) => create(site, { username: undefined, email })

    test('is its local part', async () => {
      const site = await django()
      expect((await nameless(site, 'Jose.X+tag@example.com')).username).toBe('jose.x+tag')
    })

    test('has a number behind it when that is taken, whatever its case', async () => {
      const site = await django()
      await addUser(site, { username: 'ANN', email: 'other@example.com' })
      expect((await nameless(site, 'ann@example.com')).username).toMatch(/^ann\d$/)
    })
  })

  describe('taken', () => {
    test.each([
      ['a username', { username: 'ann' }, { username: 'ann' }, 'the username ann is taken'],
      ['in capitals', { username: 'Ann' }, { username: 'aNN' }, 'the username aNN is taken'],
      ['beyond ASCII', { username: 'ÉMILE' }, { username: 'émile' }, 'the username émile is taken'],
      ['as NFKC', { username: 'fin' }, { username: 'ﬁn' }, 'the username fin is taken'],
    ])('%s', async (_, existing, wanted, message) => {
      const site = await django()
      await addUser(site, { ...existing, email: 'other@example.com' })
      await expectRefusal(site, wanted, message)
    })

    test.each([
      ['the address of a user', 'ann@example.com', []],
      ['in capitals', 'Ann@Example.com', []],
      ['a primary one', 'else@example.com', [{ email: 'ANN@example.com' }]],
      ['a secondary one', 'else@example.com', [{ email: 'else@example.com' }, { email: 'ann@example.com' }]],
      ['a verified one', 'else@example.com', [{ email: 'ann@example.com', verified: true }]],
    ])('an address: %s', async (_, email, addresses) => {
      const site = await django()
      await addUser(site, { username: 'other', email, addresses })
      await expectRefusal(site, {}, 'the address ann@example.com is taken')
    })

    test('an address beyond ASCII', async () => {
      const site = await django()
      await addUser(site, { username: 'other', email: 'ann@BÜCHER.example' })
      await expectRefusal(site, { email: 'ann@bücher.example' }, 'the address ann@bücher.example is taken')
    })

    test('what only resembles it is not', async () => {
      const site = await django()
      await addUser(site, { username: 'an_', email: 'ann@example.co' })
      await addUser(site, { username: 'ann%', email: 'xann@example.com' })
      expect((await create(site)).username).toBe('ann')
    })
  })

  describe('what can never be valid', () => {
    test.each([
      ['username', { username: 'a/b' }, /^username: Enter a valid username\./],
      ['empty username', { username: '' }, /^username: The given username must be set/],
      ['long username', { username: 'a'.repeat(151) }, /^username: .* at most 150 characters/],
      ['address', { email: 'ann' }, /^email: Enter a valid email address\.$/],
      ['first name', { firstName: 'a'.repeat(151) }, /^first name: .* at most 150 characters/],
      ['last name', { lastName: 'ü'.repeat(151) }, /^last name: .* at most 150 characters/],
      ['short password', { password: 'x7!' }, /^password: This password is too short/],
      ['similar password', { password: 'ann@example.com' }, /^password: .* similar to the email address\.$/],
      ['common password', { password: 'password1' }, /^password: This password is too common\.$/],
      ['number', { password: '839201746352' }, /^password: This password is entirely numeric\.$/],
    ])('%s', async (_, user, message) => {
      await expectRefusal(await django(), user, message, 'invalid')
    })

    test('a length is that of the column', async () => {
      const site = await django()
      await site.database.run(
        harness.pick({
          sqlite:
            'alter table auth_user rename column first_name to old; alter table auth_user add first_name varchar(30)',
          postgres: 'alter table auth_user alter first_name type varchar(30)',
        }),
      )
      await expectRefusal(
        await siteIn(site.database),
        { firstName: 'a'.repeat(31) },
        /^first name: .* at most 30/,
        'invalid',
      )
    })
  })
})
