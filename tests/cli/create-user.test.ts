import { describe, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { allRowsOf, createSite, insert, rowsOf, type TestSite } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { type Situation, usermgmt } from './run.ts'

const TERMINAL = { columns: 80 }

function createUser(site: TestSite, args: string, situation: Situation = {}) {
  return usermgmt(['--database', site.url, 'create-user', ...args.split(' ').filter(Boolean)], situation)
}

async function hashOf(site: TestSite): Promise<unknown> {
  return (await rowsOf(site.db, 'auth_user'))[0]?.password
}

describeEachDatabase('create-user', (harness) => {
  const django = () => createSite(harness, 'django5.2-allauth65')

  describe('without a terminal', () => {
    test('all options', async () => {
      const site = await django()
      await insert(site, 'auth_group', { name: 'editors' })
      await insert(site, 'auth_group', { name: 'authors' })
      const ran = await createUser(
        site,
        'ann --email Ann@Example.com --password-stdin --first-name Ann --last-name Lee --staff --inactive --verified --group editors --group authors --date-joined 2020-01-01 --last-login 2020-02-03T04:05:06.000007Z --time-zone Europe/Berlin',
        { stdin: 'correct horse battery\n' },
      )
      expect(ran).toMatchObject({ exit: 0, stdout: 'created ann <ann@example.com> with id 1\n', stderr: '' })
      const { auth_user, account_emailaddress, auth_user_groups } = await allRowsOf(site.db)
      expect(auth_user).toMatchObject([
        {
          username: 'ann',
          first_name: 'Ann',
          last_name: 'Lee',
          is_staff: true,
          is_superuser: false,
          is_active: false,
          date_joined: '2019-12-31T23:00:00Z',
          last_login: '2020-02-03T04:05:06.000007Z',
        },
      ])
      expect(account_emailaddress).toMatchObject([
        { email: 'ann@example.com', verified: true, primary: true },
      ])
      expect(auth_user_groups).toHaveLength(2)
    })

    test('joined now, unless told otherwise', async () => {
      const site = await django()
      await createUser(site, 'ann --email ann@example.com --no-password --superuser')
      expect(await rowsOf(site.db, 'auth_user')).toMatchObject([
        { is_staff: true, is_superuser: true, last_login: null, date_joined: '2025-06-15T12:00:00Z' },
      ])
    })

    test('--porcelain prints the id only', async () => {
      const site = await createSite(harness, 'uuid-user')
      const ran = await createUser(site, '--email ann@example.com --no-password --porcelain')
      const [user] = await rowsOf(site.db, 'cuser_user')
      expect(ran).toMatchObject({
        exit: 0,
        stdout: `${user?.id}\n`,
        stderr: 'the column name was left empty: create-user has no option for it\n',
      })
    })

    test.each([
      ['one line', 'correct horse battery'],
      ['a newline', 'correct horse battery\n'],
      ['as Windows ends it', 'correct horse battery\r\n'],
      ['more lines', 'correct horse battery\nthat nobody reads\n'],
    ])('--password-stdin: %s', async (_, stdin) => {
      const site = await django()
      expect((await createUser(site, 'ann --email ann@example.com --password-stdin', { stdin })).exit).toBe(0)
      expect(await hashOf(site)).toMatch(/^pbkdf2_sha256\$/)
    })

    test('--no-password leaves one that nothing matches', async () => {
      const site = await django()
      await createUser(site, 'ann --email ann@example.com --no-password')
      expect(await hashOf(site)).toMatch(/^!/)
    })

    test.each<[string, string, number, ...string[]]>([
      ['no address', 'ann --no-password', 2, 'no address is given', 'use --email ADDRESS'],
      [
        'no password',
        'ann --email a@b.org',
        2,
        'no password is given, and nobody can be asked',
        'use --password-stdin, or --no-password',
      ],
      ['an address that is none', 'ann --email a@b --no-password', 2, 'email: Enter a valid email address.'],
      [
        'a username that is none',
        'a/b --email a@b.org --no-password',
        2,
        'username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      ],
      [
        'an empty standard input',
        'ann --email a@b.org --password-stdin',
        2,
        '--password-stdin: standard input has no password',
        'its first line is the password',
      ],
      [
        'a day that does not exist',
        'ann --email a@b.org --no-password --date-joined 2020-02-30',
        2,
        '--date-joined: 2020-02-30 does not exist',
      ],
      [
        'a login in the future',
        'ann --email a@b.org --no-password --last-login 2025-06-16',
        2,
        '--last-login: 2025-06-16 lies in the future',
      ],
      [
        'a username that is taken',
        'ROOT --email a@b.org --no-password',
        1,
        'the username ROOT is taken',
        'upper and lower case count as the same',
      ],
      [
        'an address that is taken',
        'ann --email ROOT@example.com --no-password',
        1,
        'the address root@example.com is taken',
        'unverified and secondary addresses count as well; upper and lower case as the same',
      ],
      [
        'a group that does not exist',
        'ann --email a@b.org --no-password --group editors',
        1,
        'there is no group "editors"',
        'the site has no groups',
      ],
    ])('%s', async (_, args, exit, message, hint?: string) => {
      const site = await django()
      await addUser(site, { username: 'root' })
      const before = await allRowsOf(site.db)
      const stderr = `usermgmt: ${message}${hint === undefined ? '' : `; ${hint}`}\n`
      expect(await createUser(site, args)).toMatchObject({ exit, stdout: '', stderr })
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test.each([
      ['short', 'x7!', /^usermgmt: password: This password is too short\. .*characters\.\n$/],
      [
        'with a space at its end',
        'correct horse battery \n',
        /^usermgmt: password: It begins or ends with white space, .*\n$/,
      ],
      [
        'with a NUL',
        'correct horse\u0000battery',
        /^usermgmt: password: Null characters are not allowed\.\n$/,
      ],
      ['binary', Buffer.from([0xff, 0xfe, 0x0a]), /^usermgmt: --password-stdin: .* not UTF-8 text\n$/],
    ])('a password that cannot be: %s', async (_, stdin, stderr) => {
      const site = await django()
      const ran = await createUser(site, 'ann --email ann@example.com --password-stdin', { stdin })
      expect(ran).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(stderr) })
      expect(await rowsOf(site.db, 'auth_user')).toEqual([])
    })

    test('a password never comes back out', async () => {
      const site = await django()
      for (const args of ['ann --email ann@example.com', 'bob --email bob@example.com --group none']) {
        const ran = await createUser(site, `--verbose ${args} --password-stdin`, { stdin: 'do not print me' })
        expect(ran.stdout + ran.stderr).not.toContain('do not')
      }
    })
  })

  describe('at a terminal', () => {
    test('asks for what is missing', async () => {
      const site = await django()
      const typed = ['ann', 'Ann@example.com', 'correct horse battery', 'correct horse battery']
      const ran = await createUser(site, '', { terminal: TERMINAL, typed })
      expect(ran).toMatchObject({ exit: 0, stdout: 'created ann <ann@example.com> with id 1\n', stderr: '' })
      expect(await hashOf(site)).toMatch(/^pbkdf2_sha256\$/)
    })

    test('asks again after a wrong answer', async () => {
      const site = await django()
      const passwords = ['12345678', 'correct horse 1', 'correct horse 2', 'correct horse', 'correct horse']
      const ran = await createUser(site, '', {
        terminal: TERMINAL,
        typed: ['', 'ann', 'ann@example.com', ...passwords],
      })
      expect(ran.exit).toBe(0)
      expect(ran.stdout).toBe('created ann <ann@example.com> with id 1\n')
      expect(ran.stderr.split('\n')).toEqual([
        'email: Enter a valid email address.',
        'This password is too common. This password is entirely numeric.',
        'The two are not the same.',
        '',
      ])
    })

    test('checks each answer before the next question', async () => {
      const site = await django()
      await addUser(site, { username: 'root' })
      const ran = await createUser(site, '--no-password', {
        terminal: TERMINAL,
        typed: ['bad name!', 'ROOT', 'x'.repeat(151), ' ann ', 'Root@Example.com', 'ann@example.com'],
      })
      expect(ran.stdout).toBe('created ann <ann@example.com> with id 2\n')
      expect(ran.stderr.split('\n')).toEqual([
        expect.stringMatching(/^username: Enter a valid username\. /),
        'the username ROOT is taken',
        expect.stringMatching(/^username: Ensure this value has at most 150 characters/),
        'the address root@example.com is taken',
        '',
      ])
    })

    test.each([
      ['ROOT', 'the username ROOT is taken'],
      ['ann --email ROOT@example.com', 'the address ROOT@example.com is taken'],
    ])('asks nothing when %s is taken', async (args, message) => {
      const site = await django()
      await addUser(site, { username: 'root' })
      const ran = await createUser(site, args, { terminal: TERMINAL })
      expect(ran.exit).toBe(1)
      expect(ran.stderr).toContain(message)
    })

    test('asks nothing that it has been told', async () => {
      const site = await django()
      const ran = await createUser(site, 'ann --email ann@example.com --no-password', { terminal: TERMINAL })
      expect(ran.exit).toBe(0)
    })

    test('asks for no username where there are none', async () => {
      const site = await createSite(harness, 'cookiecutter')
      const ran = await createUser(site, '--no-password', { terminal: TERMINAL, typed: ['ann@example.com'] })
      expect(ran.stdout).toBe('created ann@example.com with id 1\n')
    })

    test('asks nothing with --no-input', async () => {
      const site = await django()
      const ran = await createUser(site, '--no-input ann --email ann@example.com', { terminal: TERMINAL })
      expect(ran.exit).toBe(2)
      expect(ran.stderr).toMatch(/^usermgmt: no password is given/)
    })

    test('refuses what can never be valid before it asks', async () => {
      const site = await django()
      expect((await createUser(site, 'a/b', { terminal: TERMINAL })).stderr).toMatch(/^usermgmt: username: /)
    })
  })
})
