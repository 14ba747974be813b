import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { directoryOfTest } from '../support/directory.ts'
import { createSite } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { exampleSite } from './example-site.ts'
import { type Situation, usermgmt } from './run.ts'

const BOLD = '\u001b[1m'

describeEachDatabase('list-unverified', (harness) => {
  async function list(args: string, situation?: Situation) {
    const { url } = await exampleSite(harness)
    return usermgmt(['list-unverified', '--database', url, ...args.split(' ')], situation)
  }

  test('as a table', async () => {
    const { exit, stdout, stderr } = await list('--since 2020-01-01')
    expect(exit).toBe(0)
    expect(stderr).toBe('primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)\n')
    expect(stdout).toBe(
      [
        'id  username     email             last_login                   date_joined           kept_because',
        '──  ───────────  ────────────────  ───────────────────────────  ────────────────────  ────────────',
        '1   root         root@example.com  2019-06-01T08:00:00Z         2019-05-01T00:00:00Z  staff',
        '2   anna         anna@example.com  2019-05-02T09:30:00.250000Z  2019-05-01T10:00:00Z  content',
        '3   win-a-prize  x81@mail.example  never                        2019-11-20T03:12:45Z  -',
        '4   xqzv81       x82@mail.example  never                        2019-11-20T03:12:46Z  -',
        '',
        '4 candidates: 2 can be deleted; kept: 1 staff, 1 content',
        '',
      ].join('\n'),
    )
  })

  test('a terminal gets a table that fits, in bold where colours are wanted', async () => {
    const { stdout } = await list('--since 2020-01-01 --fields id,email,addresses', {
      terminal: { columns: 40 },
    })
    const [head = '', rule = ''] = stdout.split('\n')
    expect(head.startsWith(BOLD)).toBe(true)
    expect(rule).toHaveLength(40)
    expect(stdout).toContain('…\n')
  })

  test('a terminal of the usual width gets days where instants do not fit', async () => {
    const { stdout } = await list('--since 2020-01-01 --no-color --user anna', { terminal: { columns: 80 } })
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'id  username  email             last_login  date_joined  kept_because',
      '──  ────────  ────────────────  ──────────  ───────────  ────────────',
      '2   anna      anna@example.com  2019-05-02  2019-05-01   content',
    ])
  })

  test('a terminal too narrow for a table gets one field below the other, and no line breaks', async () => {
    const { stdout } = await list('--since 2020-01-01 --no-color --user anna', { terminal: { columns: 60 } })
    expect(stdout).toBe(`id            2
username      anna
email         anna@example.com
last_login    2019-05-02T09:30:00.250000Z
date_joined   2019-05-01T10:00:00Z
kept_because  content

1 candidate: 0 can be deleted; kept: 1 content
`)
  })

  test.each([
    ['--no-color', {}],
    ['--verbose', { NO_COLOR: '1' }],
    ['--verbose', { FORCE_COLOR: '0' }],
  ])('no colours with %s and %j', async (option, env) => {
    const { stdout, stderr } = await list(`--since 2020-01-01 ${option}`, { env, terminal: { columns: 100 } })
    expect(stdout + stderr).not.toContain('\u001b')
  })

  test('colours where there is no terminal, if they are forced', async () => {
    expect((await list('--since 2020-01-01', { env: { FORCE_COLOR: '1' } })).stdout).toContain(BOLD)
  })

  test.each([
    ['ids', '1\n2\n3\n4\n'],
    ['count', '4\n'],
    ['ids --deletable', '3\n4\n'],
    ['ids --kept', '1\n2\n'],
    ['count --kept', '2\n'],
    ['count --limit 3', '3\n'],
    ['ids --sort -date_joined', '4\n3\n2\n1\n'],
    ['ids --limit 1 --sort -id', '4\n'],
    ['ids --never-logged-in', '3\n4\n'],
    ['ids --email-domain @Mail.Example', '3\n4\n'],
    ['ids --user anna --user 3', '2\n3\n'],
    ['ids --joined-before 2019-05-01', ''],
    ['ids --joined-before 2019-05-01T00:00:01Z', '1\n'],
    ['csv --fields id,username --user 4', 'id,username\n4,xqzv81\n'],
    [
      'ndjson --fields id,kept_because --kept',
      '{"id":"1","kept_because":["staff"]}\n{"id":"2","kept_because":["content"]}\n',
    ],
    ['json --fields id --deletable', '[\n  {"id":"3"},\n  {"id":"4"}\n]\n'],
    [
      'json --fields is_active,is_staff,first_name,addresses --user root',
      '[\n  {"is_active":true,"is_staff":true,"first_name":"","addresses":[{"email":"root@example.com","verified":false,"primary":true}]}\n]\n',
    ],
    ['ids --deletable --include staff', '1\n3\n4\n'],
    ['ids --deletable --cascade blog_post', '2\n3\n4\n'],
    ['ids --deletable --cascade *', '2\n3\n4\n'],
    ['ids --deletable --protect 3', '4\n'],
    ['ids --deletable --protect @mail.example', ''],
  ])('--format %s', async (args, stdout) => {
    const { exit, ...ran } = await list(`--since 2020-01-01 --format ${args}`)
    expect(exit).toBe(0)
    expect(ran.stdout).toBe(stdout)
  })

  test.each(['table', 'csv', 'json', 'ndjson', 'ids'])(
    'as %s no name reaches the terminal raw',
    async (format) => {
      const site = await exampleSite(harness)
      await addUser(site, { username: '\u001b[31mfree\u202e', email: 'x83@mail.example' })
      const args = ['--database', site.url, '--since', '2020-01-01', '--format', format]
      const { stdout } = await usermgmt(['list', ...args])
      expect(stdout).not.toContain('\u001b')
      expect(stdout).not.toContain('\u202e')
      expect(stdout).toContain(format === 'ids' ? '7\n' : '\\u001b[31mfree\\u202e')
    },
  )

  test('the ids that another list has printed', async () => {
    const { stdout } = await list('--since 2020-01-01 --format ids --users-from -', {
      stdin: '2\r\n\n# comment\n4\n77\n',
    })
    expect(stdout).toBe('2\n4\n')
  })

  test('all who are named or protected in several files', async () => {
    const directory = await directoryOfTest()
    const fileOf = async (id: string) => {
      const path = join(directory, `${id}.txt`)
      await writeFile(path, `${id}\n`)
      return path
    }
    const [two, four] = [await fileOf('2'), await fileOf('4')]
    const ids = async (args: string) => (await list(`--since 2020-01-01 --format ids ${args}`)).stdout
    expect(await ids(`--users-from ${two} --users-from ${four}`)).toBe('2\n4\n')
    const protect = `--protect-from ${two} --protect-from ${four}`
    expect(await ids(`--grace 0 --deletable --user 2 --user 4`)).not.toBe('')
    expect(await ids(`${protect} --grace 0 --deletable --user 2 --user 4`)).toBe('')
  })

  test.each([
    ['having joined lately', ['date_joined'], 'no date_joined', ['--grace', '0']],
    ['being staff', ['is_staff', 'is_superuser'], 'no is_staff and no is_superuser', ['--include', 'staff']],
    ['having been deactivated', ['is_active'], 'no is_active', ['--include', 'deactivated']],
  ])('that nobody is kept for %s, where no column says who', async (what, columns, lacking, asked) => {
    const site = await exampleSite(harness)
    for (const column of columns) {
      await site.database.run(`alter table auth_user rename column ${column} to another_${column}`)
    }
    const listed = async (...args: string[]) =>
      (await usermgmt(['list', '--database', site.url, '--format', 'count', ...args])).stderr
    expect(await listed()).toContain(
      `\nwarning: nobody is kept for ${what}: the user table has ${lacking} (is it called otherwise? `,
    )
    expect(await listed(...asked)).not.toContain('warning')
  })

  test('an order that the user model lacks is refused', async () => {
    const site = await exampleSite(harness)
    await site.database.run('alter table auth_user rename column username to nickname')
    const sorted = ['list', '--database', site.url, '--since', '2020-01-01', '--format', 'ids', '--sort']
    for (const order of ['username', '-username']) {
      expect(await usermgmt([...sorted, order])).toMatchObject({
        exit: 1,
        stdout: '',
        stderr: expect.stringContaining('has no column username: cannot sort by it; name the column in'),
      })
    }
    expect(await usermgmt([...sorted, 'email'])).toMatchObject({ exit: 0, stdout: '2\n1\n3\n4\n' })
  })

  test('also with --quiet, before users are deleted, where no column says who joined lately', async () => {
    const site = await exampleSite(harness)
    await site.database.run('alter table auth_user rename column date_joined to another')
    const purge = ['purge', '--database', site.url, '--no-archive', '--yes', '--quiet']
    expect((await usermgmt(purge)).stderr).toContain('warning: nobody is kept for having joined lately')
    expect((await usermgmt([...purge, '--grace', '0'])).stderr).not.toContain('joined lately')
  })

  test('nobody, when another list has found nobody', async () => {
    const { exit, stdout, stderr } = await list('--since 2020-01-01 --format ids --users-from -', {
      stdin: '',
    })
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '' })
    expect(stderr).toContain('0 among those named')
    const site = await exampleSite(harness)
    const purge = ['purge', '--database', site.url, '--since', '2020-01-01', '--users-from', '-', '--yes']
    const purged = await usermgmt(purge, { stdin: '\n' })
    expect(purged).toMatchObject({ exit: 0, stdout: expect.stringContaining('0 users deleted') })
  })

  test.each(['table', 'json', 'ndjson', 'csv', 'ids'])(
    'a UUID has dashes in %s, and is taken with and without',
    async (format) => {
      const site = await createSite(harness, 'uuid-user')
      const key = (await addUser(site)).replaceAll('-', '')
      await addUser(site)
      const shown = key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
      const command = ['list', '--since', '2020-01-01', '--format', format, '--database', site.url]
      for (const given of [key, shown, shown.toUpperCase()]) {
        const named = await usermgmt([...command, '--user', given])
        expect(named).toMatchObject({ exit: 0, stdout: expect.stringContaining(shown) })
        expect(named.stdout.match(/[0-9a-f]{8}-[0-9a-f]{4}-/g)).toHaveLength(1)
        expect(await usermgmt([...command, '--users-from', '-'], { stdin: given })).toMatchObject({
          stdout: named.stdout,
        })
      }
    },
  )

  test.each([
    ['2\n4\n2\n', 2, ''],
    ['2\n4\n77\n', 3, 'warning: of 3 ids given, 1 does not exist\n'],
    ['2\n77\n5\n6\n78\n', 5, 'warning: of 5 ids given, 2 do not exist and 2 are not selected\n'],
  ])('ids that mean nobody, or nobody selected, are counted: %j', async (stdin, given, warning) => {
    const { stderr } = await list('--since 2020-01-01 --format ids --users-from -', { stdin })
    const [understood, ...warnings] = stderr.split('\n')
    expect(understood).toContain(`among ${given} ids given`)
    expect(warnings.join('\n')).toBe(warning)
  })

  test('an entry of the protect list that means nobody is named', async () => {
    const { stderr } = await list(
      '--since 2020-01-01 --format ids --protect ANNA --protect anna@exmaple.com --protect @mail.example --protect 99 --protect 1',
    )
    expect(stderr.split('\n').slice(1)).toEqual([
      'warning: on the protect list, but nobody here: anna@exmaple.com, 99',
      '',
    ])
  })

  test('a comment behind an entry is none of it', async () => {
    const stdin = '# the office\nanna # the editor\n  #\nxqzv81\t# who is that?\n'
    const { stdout, stderr } = await list(
      '--since 2020-01-01 --deletable --format ids --cascade blog_post --protect-from -',
      { stdin },
    )
    expect(stderr).not.toContain('warning')
    expect(stdout).toBe('3\n')
  })

  test('only some of many such entries are', async () => {
    const stdin = Array.from({ length: 1_500 }, (_, i) => `nobody-${i}`).join('\n')
    const { stderr } = await list('--since 2020-01-01 --format ids --protect-from -', { stdin })
    expect(stderr).toContain('nobody here: nobody-0, nobody-1, nobody-2, nobody-3, nobody-4, 1,495 more\n')
    const quiet = await list('--since 2020-01-01 --format ids --quiet --protect-from -', { stdin })
    expect(quiet.stderr).toBe('')
  })

  test('nobody: says why', async () => {
    const { exit, stdout, stderr } = await list(
      '--since 2020-01-01 --format json --email-domain nowhere.example',
    )
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '[]\n' })
    expect(stderr.split('\n').slice(1)).toEqual([
      'no user matches:',
      '  6 users in auth_user',
      '  5 with an unverified primary address',
      '  4 not logged in since the cut-off',
      '  0 with an address at the domains',
      '',
    ])
  })

  test('nobody of those asked for: says so', async () => {
    const { stderr } = await list('--since 2020-01-01 --format ids --user 3 --kept')
    expect(stderr).toContain('none of them: 1 candidate: 1 can be deleted\n')
  })

  test('--quiet says nothing', async () => {
    expect((await list('--since 2019-01-01 --quiet --format ids --never-logged-in --user root')).stderr).toBe(
      '',
    )
  })

  test('--verbose names the database, without its password', async () => {
    const { stderr } = await list('--since 2020-01-01 --format count --verbose')
    expect(stderr).toMatch(/^configuration: none$/m)
    expect(stderr).toMatch(
      harness.pick({ sqlite: /^database: \/.+$/m, postgres: /^database: postgres:\/\/\w+@[^:]+:\d+\/\w+$/m }),
    )
  })

  test('--verbose names the guards that are off, for the user model lacks what they ask for', async () => {
    const bare = await createSite(harness, 'custom-bare')
    const list = (url: string, ...args: string[]) =>
      usermgmt(['--database', url, 'list', '--since', '1y', ...args])
    const { stderr } = await list(bare.url, '--verbose')
    expect(stderr).toContain('guard staff: no is_staff, no is_superuser, so it is off\n')
    expect(stderr).toContain('guard social: no socialaccount_socialaccount, so it is off\n')
    expect((await list(bare.url)).stderr).not.toContain('guard ')
    const half = await createSite(harness, 'custom-bare', 'alter table login add column is_superuser boolean')
    expect((await list(half.url, '--verbose')).stderr).toContain(
      'guard staff: no is_staff, so only superusers count\n',
    )
    expect((await list((await exampleSite(harness)).url, '--verbose')).stderr).not.toContain('guard ')
  })

  test('what the configuration file says counts, and options count more', async () => {
    const { url } = await exampleSite(harness)
    const cwd = await directoryOfTest()
    await writeFile(
      join(cwd, 'usermgmt.config.yaml'),
      `database: ${url}\nprotect: [xqzv81]\ncascade: [blog_post]\ngrace: 7y\ntime_zone: Europe/Berlin\n`,
    )
    const list = async (...args: string[]) =>
      usermgmt(['list', '--since', '2020-01-01', '--format', 'ids', '--deletable', ...args], { cwd })
    expect(await list()).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('2020-01-01 00:00 Europe/Berlin (2019-12-31 23:00 UTC)'),
    })
    expect((await list('--grace', '0')).stdout).toBe('2\n3\n')
  })
})
