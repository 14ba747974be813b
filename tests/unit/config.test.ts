import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/settings.ts'
import { withDirectory } from '../support/directory.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const write = (name: string, content: unknown) =>
  writeFile(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))

const load = (given = {}, env = {}) => loadSettings(given, env, directory)

describe('which database', () => {
  beforeEach(() => write('usermgmt.config.json', { database: 'from-file.db' }))

  test.each([
    [{ database: 'given.db' }, { USERMGMT_DATABASE_URL: 'own.db', DATABASE_URL: 'common.db' }, 'given.db'],
    [{}, { USERMGMT_DATABASE_URL: 'own.db', DATABASE_URL: 'common.db' }, 'own.db'],
    [{}, { USERMGMT_DATABASE_URL: '', DATABASE_URL: 'common.db' }, 'common.db'],
    [{}, {}, 'from-file.db'],
  ])('%j and %j give %s', async (given, env, name) => {
    const { target } = await load(given, env)
    expect(target).toEqual({ kind: 'sqlite', path: join(directory, name) })
  })

  test('without any of them the one in the working directory', async () => {
    await rm(join(directory, 'usermgmt.config.json'))
    const { target, file } = await load()
    expect(target).toEqual({ kind: 'sqlite', path: join(directory, 'usermgmt.sqlite3') })
    expect(file).toBeUndefined()
  })

  test('a path in the file starts at the file', async () => {
    const { target } = await loadSettings({ config: join(directory, 'usermgmt.config.json') }, {}, '/')
    expect(target).toEqual({ kind: 'sqlite', path: join(directory, 'from-file.db') })
  })
})

test('every key', async () => {
  await write(
    'usermgmt.config.yaml',
    `database: postgres://db.example/site
time_zone: europe/berlin
protect: [root, "@example.com"]
grace: 14d
max_delete: 10%
cascade: [blog_draft]
set_null: [blog_post.editor_id]
keep: [shop_order]
tables: { users: accounts_user, email_addresses: accounts_email }
columns: { username: login, last_login: seen_at }
archive: removed
mail:
  link_template: "https://app.example/verify/{key}"
  site_url: https://app.example
  site_name: The App
  secret_key_file: secret.txt
  salt: pepper
  confirmation: database
  link: confirm
  expires: 5
  templates: mails
  from: The App <app@app.example>
  reply_to: help@app.example
  list_unsubscribe: mailto:stop@app.example
  smtp_url: smtp://app@mail.example
  sendmail: true
  outbox: out
  rate: 0.5
  concurrency: 2
  again_after: 2w
  max_reminders: 4
  max_failures: 5%
policy:
  since: 1y
  remind_after: 30d
  remind_again_after: 14d
  max_reminders: 2
  delete_after_reminder: 30d
  max_delete: 100
`,
  )
  const { configured, target } = await load()
  expect(target).toEqual({ kind: 'postgres', url: 'postgres://db.example/site' })
  expect(configured).toEqual({
    database: 'postgres://db.example/site',
    timeZone: 'Europe/Berlin',
    protect: ['root', '@example.com'],
    grace: '14d',
    maxDelete: { kind: 'percent', percent: 10 },
    rules: { cascade: ['blog_draft'], setNull: ['blog_post.editor_id'], keep: ['shop_order'] },
    names: {
      users: 'accounts_user',
      emailAddresses: 'accounts_email',
      columns: { username: 'login', last_login: 'seen_at' },
    },
    archive: join(directory, 'removed'),
    mail: {
      linkTemplate: expect.objectContaining({ hasKey: true }),
      siteUrl: new URL('https://app.example/'),
      siteName: 'The App',
      secretKeyFile: join(directory, 'secret.txt'),
      salt: 'pepper',
      confirmation: 'database',
      link: 'confirm',
      expires: 5,
      templates: join(directory, 'mails'),
      from: { name: 'The App', address: 'app@app.example' },
      replyTo: { name: '', address: 'help@app.example' },
      listUnsubscribe: 'mailto:stop@app.example',
      smtpUrl: 'smtp://app@mail.example',
      sendmail: true,
      outbox: join(directory, 'out'),
      rate: 0.5,
      concurrency: 2,
      againAfter: '2w',
      maxReminders: 4,
      maxFailures: { kind: 'percent', percent: 5 },
    },
    policy: {
      since: '1y',
      remindAfter: '30d',
      remindAgainAfter: '14d',
      maxReminders: 2,
      deleteAfterReminder: '30d',
      maxDelete: { kind: 'number', count: 100 },
    },
  })
})

test('numbers where the option takes a number', async () => {
  await write('usermgmt.config.yml', 'grace: 0\nmax_delete: 500\narchive: false\n')
  const { configured } = await load()
  expect(configured).toMatchObject({ grace: '0d', maxDelete: { kind: 'number', count: 500 }, archive: false })
})

test('an age of nothing, with and without a unit', async () => {
  await write('usermgmt.config.yml', 'policy: { remind_again_after: "0", remind_after: 0d }\n')
  expect((await load()).configured.policy).toMatchObject({ remindAgainAfter: '0d', remindAfter: '0d' })
})

test.each([0, '0', '0d', '00h'])('no time to react to a reminder: %j', async (age) => {
  await write('usermgmt.config.json', { policy: { delete_after_reminder: age } })
  await expect(load()).rejects.toMatchObject({
    kind: 'invalid',
    message: `usermgmt.config.json has one problem:\n  policy.delete_after_reminder: "${age}" deletes whoever was reminded a moment ago; to delete nobody, leave it out`,
  })
})

test('a date that has come in some zone', async () => {
  const today = new Date(Date.now() + 13 * 3_600_000).toISOString().slice(0, 10)
  await write('usermgmt.config.yml', `policy: { since: "${today}" }\n`)
  expect((await load()).configured.policy).toMatchObject({ since: today })
})

test('an empty YAML file says nothing', async () => {
  await write('usermgmt.config.yaml', '# later\n')
  expect((await load()).configured.protect).toBeUndefined()
})

test.each(['usermgmt.config.json', 'usermgmt.config.yaml'])(
  '%s as editors of Windows write it',
  async (name) => {
    await write(name, '\ufeff{ "grace": "9d" }\r\n')
    expect((await load()).configured.grace).toBe('9d')
  },
)

test('every problem at once, each with its place', async () => {
  await write('usermgmt.config.json', {
    databse: 'x',
    time_zone: 'Mars',
    protect: 'root',
    grace: '7 days',
    max_delete: -1,
    set_null: ['blog_post'],
    keep: ['a', ''],
    tables: { user: 'x' },
    columns: { user_name: 'x' },
    archive: true,
    mail: { site_nme: 'x', from: 'nobody', smtp_url: 'mail.example', rate: -1, link: 'page' },
    policy: { remind_after: '30 days', since: '2999-01-01' },
  })
  const error: unknown = await load().catch((thrown) => thrown)
  expect(error).toMatchObject({ kind: 'invalid' })
  expect((error as Error).message.split('\n')).toEqual([
    'usermgmt.config.json has 17 problems:',
    '  time_zone: there is no time zone "Mars"',
    '  protect: expected a list',
    '  grace: "7 days" is not an age',
    '  max_delete: "-1" is neither a whole number above 0 nor a percentage up to 100%',
    '  set_null[0]: "blog_post" does not name a column',
    '  keep[1]: is empty',
    '  tables.user: unknown key (did you mean users?)',
    '  columns.user_name: unknown key (did you mean username?)',
    '  archive: expected a directory, or false',
    '  mail.link: expected one of: confirm, login',
    '  mail.from: "nobody" is not the address of one sender',
    '  mail.smtp_url: the SMTP URL cannot be read',
    '  mail.rate: "-1" is not a number of mails in a second',
    '  mail.site_nme: unknown key (did you mean site_name?)',
    '  policy.since: 2999-01-01 lies in the future',
    '  policy.remind_after: "30 days" is not an age',
    '  databse: unknown key (did you mean database?)',
  ])
})

test.each([
  ['usermgmt.config.json', '{"grace": }', /^usermgmt\.config\.json is not JSON: /],
  ['usermgmt.config.yaml', 'grace: [', /^usermgmt\.config\.yaml is not YAML: .* at line 1/],
  [
    'usermgmt.config.yaml',
    'database: !secret postgres://u:s3cret@h/db\n',
    /^usermgmt\.config\.yaml is not YAML: Unresolved tag: !secret at line 1, column 11$/,
  ],
  ['usermgmt.config.yaml', 'grace: \xff\n', /^usermgmt\.config\.yaml is not a text in UTF-8$/],
  ['usermgmt.config.yaml', '- a\n', /^usermgmt\.config\.yaml holds a list, not settings$/],
  ['usermgmt.config.json', '"a"', /^usermgmt\.config\.json holds a text, not settings$/],
  [
    'usermgmt.config.json',
    '{"protect": ["a"], "protect": ["b"]}',
    /^usermgmt\.config\.json has a key twice: line \d, column \d+$/,
  ],
  [
    'usermgmt.config.json',
    '{"mail":\n\t{ "rate": 1, "rate": 2 }}',
    /^usermgmt\.config\.json has a key twice: line \d, column \d+$/,
  ],
  ['usermgmt.config.json', 'null', /^usermgmt\.config\.json holds nothing, not settings$/],
])('%s that holds %s', async (name, text, message) => {
  await writeFile(join(directory, name), text, 'latin1')
  await expect(load()).rejects.toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) })
})

test.each([
  ['cascade: [7]', 'cascade[0]: expected a text, not a number: put it in quotes'],
  ['protect: ["a\\0b"]', 'protect[0]: holds a NUL character'],
  ['database: true', 'database: expected a text, not a boolean: put it in quotes'],
  ['time_zone:', 'time_zone: expected a text, not nothing'],
  ['keep: [{}]', 'keep[0]: expected a text, not an object'],
  ['keep: {}', 'keep: expected a list'],
  ['tables: users', 'tables: expected an object, not a text'],
  ['columns: []', 'columns: expected an object, not a list'],
  ['mail: { sendmail: false }', 'mail.sendmail: expected a path, or true'],
  ['mail: { confirmation: never }', 'mail.confirmation: expected one of: hmac, database'],
  ['policy: 1', 'policy: expected an object, not a number'],
  ['max_delete: true', 'max_delete: expected a number, or a percentage such as "50%"'],
  ['policy: { max_delete: true }', 'policy.max_delete: expected a number, or a percentage such as "50%"'],
  ['mail: { max_failures: true }', 'mail.max_failures: expected a number, or a percentage such as "50%"'],
  ['mail: { again_after: true }', 'mail.again_after: expected an age such as 7d, or 0'],
])('%s is explained in words', async (line, problem) => {
  await write('usermgmt.config.yaml', `${line}\n`)
  await expect(load()).rejects.toThrow(`usermgmt.config.yaml has one problem:\n  ${problem}`)
})

test('two files are one too many', async () => {
  await write('usermgmt.config.json', {})
  await write('usermgmt.config.yaml', '')
  await expect(load()).rejects.toThrow(
    'there are several configuration files: usermgmt.config.json, usermgmt.config.yaml',
  )
})

test('a file that cannot be reached is not taken for none: it may protect somebody', async () => {
  await symlink(join(directory, 'not-mounted.json'), join(directory, 'usermgmt.config.json'))
  await expect(load()).rejects.toThrow(/usermgmt\.config\.json cannot be read: there is no such file/)
  const circle = join(directory, 'circle')
  await symlink(circle, circle)
  await expect(loadSettings({}, {}, circle)).rejects.toThrow(
    `nobody can tell whether there is a configuration file ${circle}/usermgmt.config.json: its links lead in a circle`,
  )
})

test('a file that --config names must be there', async () => {
  await expect(load({ config: 'missing.yaml' })).rejects.toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('missing.yaml cannot be read: there is no such file or directory'),
  })
})
