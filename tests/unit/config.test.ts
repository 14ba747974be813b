import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/settings.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'usermgmt-config-'))
})
afterEach(() => rm(directory, { recursive: true }))

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
  })
})

test('numbers where the option takes a number', async () => {
  await write('usermgmt.config.yml', 'grace: 0\nmax_delete: 500\narchive: false\n')
  const { configured } = await load()
  expect(configured).toMatchObject({ grace: '0', maxDelete: { kind: 'users', count: 500 }, archive: false })
})

test('an empty YAML file says nothing', async () => {
  await write('usermgmt.config.yaml', '# later\n')
  expect((await load()).configured.protect).toBeUndefined()
})

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
  })
  const error: unknown = await load().catch((thrown) => thrown)
  expect(error).toMatchObject({ kind: 'invalid' })
  expect((error as Error).message.split('\n')).toEqual([
    'usermgmt.config.json has 10 problems:',
    '  time_zone: there is no time zone "Mars"',
    '  protect: expected a list',
    '  grace: "7 days" is not an age',
    '  max_delete: "-1" is not a whole number above 0',
    '  set_null[0]: "blog_post" does not name a column',
    '  keep[1]: is empty',
    '  tables.user: unknown key (did you mean users?)',
    '  columns.user_name: unknown key (did you mean username?)',
    '  archive: expected a directory, or false',
    '  databse: unknown key (did you mean database?)',
  ])
})

test.each([
  ['usermgmt.config.json', '{"grace": }', /^usermgmt\.config\.json is not JSON: /],
  ['usermgmt.config.yaml', 'grace: [', /^usermgmt\.config\.yaml is not YAML: .* at line 1/],
  [
    'usermgmt.config.yaml',
    '- a\n',
    /^usermgmt\.config\.yaml has one problem:\n {2}Invalid input: expected object/,
  ],
])('%s that holds %s', async (name, text, message) => {
  await write(name, text)
  await expect(load()).rejects.toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) })
})

test('two files are one too many', async () => {
  await write('usermgmt.config.json', {})
  await write('usermgmt.config.yaml', '')
  await expect(load()).rejects.toThrow(
    'there are several configuration files: usermgmt.config.json, usermgmt.config.yaml',
  )
})

test('a file that --config names must be there', async () => {
  await expect(load({ config: 'missing.yaml' })).rejects.toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('missing.yaml cannot be read: ENOENT'),
  })
})
