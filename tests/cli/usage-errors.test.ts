import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { withDirectory } from '../support/directory.ts'
import { usermgmt } from './run.ts'

let directory: string
withDirectory(beforeAll, async (path) => {
  directory = path
  await writeFile(join(directory, 'empty.txt'), '\n# nobody\n\n')
  await writeFile(join(directory, 'binary.bin'), Buffer.from([0x1f, 0x8b, 0, 0xff]))
  await writeFile(join(directory, 'text.txt'), 'not a database, however long it may be')
})

/** Arguments in one text, and the whole of standard error: one line, of what happened and what to do. */
type Case = readonly [args: string, ...parts: string[]]

async function expectError(exit: number, args: string, parts: readonly string[]) {
  const ran = await usermgmt(
    args.split(' ').map((arg) => arg.replace('NOTHING', '')),
    { cwd: directory },
  )
  expect(ran.stderr.replaceAll(directory, 'DIR')).toBe(`${parts.join('; ')}\n`)
  expect(ran).toMatchObject({ exit, stdout: '' })
}

const AGE_HINT = 'a date (2024-01-31), an age (90d, 6mo, 1y) or an instant (2024-01-31T12:00:00Z)'
const GUARD_HINT = 'one of: seen, staff, verified-address, social, deactivated'

describe('what can never be valid ends with 2', () => {
  test.each<Case>([
    ['frobnicate', "usermgmt: unknown command 'frobnicate'"],
    ['lst', "usermgmt: unknown command 'lst' (did you mean list?)"],
    ['help purg', "usermgmt: unknown command 'purg' (did you mean purge?)"],
    ['help frobnicate', "usermgmt: unknown command 'frobnicate'"],
    ['help archive sho', "usermgmt: unknown command 'sho' (did you mean show?)"],
    ['archive shwo', "usermgmt: unknown command 'shwo' (did you mean show?)"],
    ['list --sicne 1y', "usermgmt: unknown option '--sicne' (did you mean --since?)"],
    ['purge --plan-out -', 'usermgmt: --plan-out writes a file, not to standard output'],
    ['purge --dryrun', "usermgmt: unknown option '--dryrun' (did you mean --dry-run?)"],
    ['--databse x list', "usermgmt: unknown option '--databse' (did you mean --database?)"],
    ['list extra', "usermgmt: too many arguments for 'list-unverified'. Expected 0 arguments but got 1."],
    ['list --since', "usermgmt: option '--since <when>' argument missing"],
    ['purge --password secret', "usermgmt: unknown option '--password'"],
    ['create-user ann --password secret', "usermgmt: unknown option '--password'"],
    [
      'list --format xml',
      "usermgmt: option '--format <format>' argument 'xml' is invalid. Allowed choices are table, json, ndjson, csv, ids, count.",
    ],
    ['purge --dry-run --yes', "usermgmt: option '--dry-run' cannot be used with option '--yes'"],
    ['list --kept --deletable', "usermgmt: option '--kept' cannot be used with option '--deletable'"],
    [
      'purge --archive here --no-archive',
      "usermgmt: option '--archive' cannot be used with option '--no-archive'",
    ],
    [
      'sweep --no-archive --archive here',
      "usermgmt: option '--archive' cannot be used with option '--no-archive'",
    ],
    ['list --quiet --verbose', "usermgmt: option '--quiet' cannot be used with option '--verbose'"],
    [
      'create-user --password-stdin --no-password',
      "usermgmt: option '--password-stdin' cannot be used with option '--no-password'",
    ],
    ['migrate --status --dry-run', "usermgmt: option '--status' cannot be used with option '--dry-run'"],
    ['list --limit 0', 'usermgmt: --limit: "0" is not a whole number above 0'],
    ['list --limit -1', 'usermgmt: --limit: "-1" is not a whole number above 0'],
    ['list --limit 1.5', 'usermgmt: --limit: "1.5" is not a whole number above 0'],
    ['list --limit 1e3', 'usermgmt: --limit: "1e3" is not a whole number above 0'],
    ['list --limit 99999999999999999999', 'usermgmt: --limit: 99999999999999999999 is too large a number'],
    ['link anna --expires 36526', 'usermgmt: --expires: 36526 days are too long a time'],
    ['purge --batch-size 0', 'usermgmt: --batch-size: "0" is not a whole number above 0'],
    ['purge --jobs x', 'usermgmt: --jobs: "x" is not a whole number above 0'],
    ['purge --max-delete 0', 'usermgmt: --max-delete: "0" is not a whole number above 0'],
    [
      'purge --max-delete 101%',
      'usermgmt: --max-delete: "101%" is neither a whole number above 0 nor a percentage up to 100%',
    ],
    [
      'purge --max-delete 0%',
      'usermgmt: --max-delete: "0%" is neither a whole number above 0 nor a percentage up to 100%',
    ],
    ['list --database NOTHING', 'usermgmt: --database: the value is empty'],
    ['list --config NOTHING', 'usermgmt: --config: the value is empty'],
    ['list --user NOTHING', 'usermgmt: --user: the value is empty'],
    [
      'list --email-domain a@b.c',
      'usermgmt: --email-domain: "a@b.c" is not a domain',
      'for example: --email-domain example.com',
    ],
    ['list --since 2020-02-30', 'usermgmt: --since: 2020-02-30 does not exist'],
    ['list --since 2099-01-01', 'usermgmt: --since: 2099-01-01 lies in the future'],
    ['list --since soon', 'usermgmt: --since: "soon" is not a date or age', AGE_HINT],
    ['list --since -90d', 'usermgmt: --since: "-90d" is not a date or age', AGE_HINT],
    ['list --since 1.5y', 'usermgmt: --since: "1.5y" is not a date or age', AGE_HINT],
    ['list --joined-before 2020-13-01', 'usermgmt: --joined-before: 2020-13-01 does not exist'],
    ['list --grace 7', 'usermgmt: --grace: "7" is not an age', 'for example 36h, 90d, 2w, 6mo or 1y'],
    ['list --grace -7d', 'usermgmt: --grace: "-7d" is not an age', 'for example 36h, 90d, 2w, 6mo or 1y'],
    [
      'list --time-zone Mars/Olympus',
      'usermgmt: --time-zone: there is no time zone "Mars/Olympus"',
      'for example UTC, or Europe/Berlin',
    ],
    [
      'list --include stuff',
      'usermgmt: --include: there is no guard "stuff" (did you mean staff?)',
      GUARD_HINT,
    ],
    [
      'list --include recent',
      'usermgmt: --include: the guard recent has no --include',
      'to switch it off: --grace 0',
    ],
    [
      'list --include content',
      'usermgmt: --include: the guard content has no --include',
      'to delete or detach the rows that keep a user: --cascade TABLE or --set-null TABLE.COLUMN',
    ],
    [
      'list --include protected',
      'usermgmt: --include: the guard protected has no --include',
      'it cannot be switched off; take the user off the protect list',
    ],
    [
      'purge --set-null blog_post',
      'usermgmt: --set-null: "blog_post" does not name a column',
      'write TABLE.COLUMN, for example blog_post.editor_id',
    ],
    [
      'list --fields key',
      'usermgmt: --fields: there is no field "key"',
      'one of: id, username, email, last_login, date_joined, kept_because, first_name, last_name, is_active, is_staff, addresses',
    ],
    [
      'list --fields id,emial',
      'usermgmt: --fields: there is no field "emial" (did you mean email?)',
      'one of: id, username, email, last_login, date_joined, kept_because, first_name, last_name, is_active, is_staff, addresses',
    ],
    [
      'list --sort kept_because',
      'usermgmt: --sort: there is no field "kept_because"',
      'one of: id, username, email, last_login, date_joined',
    ],
    ['purge --despite-failures', 'usermgmt: --despite-failures goes with --reminded-before'],
    [
      'list --users-from empty.txt',
      'usermgmt: --users-from: empty.txt names nobody',
      'it has one user a line; # begins a comment',
    ],
    [
      'list --users-from binary.bin',
      'usermgmt: --users-from: binary.bin is not a text file',
      'it has one user a line',
    ],
    [
      'list --protect-from -',
      'usermgmt: --protect-from: standard input names nobody',
      'it has one user a line; # begins a comment',
    ],
    [
      'purge --protect-from empty.txt',
      'usermgmt: --protect-from: empty.txt names nobody',
      'it has one user a line; # begins a comment',
    ],
    [
      'purge --users-from - --protect-from -',
      'usermgmt: standard input can be read once: one - among --users-from and --protect-from',
    ],
    [
      'purge --protect-from - --protect-from -',
      'usermgmt: standard input can be read once: one - among --users-from and --protect-from',
    ],
    [
      'email --rate 10001',
      'usermgmt: --rate: 10001 mails in a second are more than 10000',
      '0 is for no limit',
    ],
    [
      'list --database mysql://host/db',
      'usermgmt: databases of kind "mysql" are not supported',
      'give the path of a SQLite file, or a URL that starts with sqlite: or postgres://',
    ],
  ])('%s', async (args, ...lines) => {
    await expectError(2, args, lines)
  })
})

describe('a clash with what there is ends with 1', () => {
  test.each<Case>([
    [
      'list --users-from missing.txt',
      'usermgmt: --users-from: missing.txt cannot be read: there is no such file or directory',
    ],
    ['list --users-from .', 'usermgmt: --users-from: . cannot be read: it is a directory'],
  ])('%s', async (args, ...lines) => {
    await expectError(1, args, lines)
  })

  test.each<Case>([
    ['list --database missing.db', 'usermgmt: there is no database file at DIR/missing.db'],
    ['list --database .', 'usermgmt: DIR is a directory, not a SQLite database'],
    ['list --database text.txt', 'usermgmt: DIR/text.txt is not a SQLite database'],
    [
      'list --database postgres://nobody@127.0.0.1:1/x',
      'usermgmt: nothing answers at postgres://nobody@127.0.0.1:1/x',
    ],
  ])('%s', async (args, line) => {
    const ran = await usermgmt(args.split(' '), { cwd: directory })
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    const [said, ...more] = ran.stderr.replaceAll(directory, 'DIR').split('\n')
    expect(said?.split('; ')[0]).toBe(line)
    expect(more).toEqual([''])
  })
})

test.each([
  'host=h password=SECRET dbname=x',
  'application_name=x password=SECRET',
  ' password = SECRET',
  'postgres:/pw:SECRET@h/x',
  'postgresql:u:SECRET@h/x',
  'sqlite:host=h password=SECRET',
  'jdbc:postgresql://h/x?user=u&password=SECRET',
  'mysql://u:SECRET@h/x',
])('the password in %s is neither repeated nor made a file', async (database) => {
  const empty = await mkdtemp(join(directory, 'secret-'))
  for (const command of ['list', 'migrate']) {
    const ran = await usermgmt([command, '--verbose', '--database', database], { cwd: empty })
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).not.toContain('SECRET')
    expect(ran.stderr).toMatch(/^usermgmt: .*postgres:\/\/.*\n$/)
  }
  expect(await readdir(empty)).toEqual([])
})

test('what was typed cannot reach the terminal as it is', async () => {
  const { stderr } = await usermgmt(['list', '--include', '\u001b[31mx\u202e'])
  expect(stderr).toContain('\\u001b[31mx\\u202e')
  expect(stderr).not.toContain('\u001b')
})
