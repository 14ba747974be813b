import { expect, test } from 'vitest'
import { commandContext } from '../../src/cli/command-context.ts'
import { commandLine } from '../../src/cli/command-line.ts'
import type { GlobalOptions } from '../../src/cli/context.ts'
import { loadSettings } from '../../src/config/settings.ts'
import { parseDatabaseUrl, shownTarget, typedTarget } from '../../src/db/url.ts'
import { contextOf } from '../cli/run.ts'

const TYPED = { color: true, input: true }

async function lineFor(words: readonly string[], database?: string, env = {}): Promise<string> {
  const { context } = contextOf({ cwd: '/nowhere', env })
  const globals: GlobalOptions = database === undefined ? TYPED : { ...TYPED, database }
  const settings = await loadSettings(globals, env, '/nowhere')
  return commandLine(words, { context: commandContext(context, globals), settings })
}

test.each([
  [['restore', '/srv/a-b_c.ndjson.gz'], 'usermgmt restore /srv/a-b_c.ndjson.gz'],
  [['restore', "/a/sp ace/ar'c/x"], `usermgmt restore '/a/sp ace/ar'\\''c/x'`],
  [['restore', '/a/$HOME/`x`'], "usermgmt restore '/a/$HOME/`x`'"],
])('%o is a line for a shell', async (words, line) => {
  expect(await lineFor(words, undefined, { DATABASE_URL: '/srv/db.sqlite3' })).toBe(line)
})

test('a relative path is made to mean the same everywhere', async () => {
  expect(await lineFor(['history'], 'site.db')).toBe('usermgmt history --database /nowhere/site.db')
  expect(await lineFor(['history'])).toBe('usermgmt history --database /nowhere/usermgmt.sqlite3')
})

test.each([
  '"postgres://u:s3cret@h/db"',
  "'postgres://u:s3cret@h/db'",
  ' postgres://u:s3cret@h/db',
  '<postgres://u:s3cret@h/db>',
  'export postgres://u:s3cret@h/db',
  'postgres//u:s3cret@h/db',
  '//u:s3cret@h/db',
  'u:s3cret@h/db',
])('nothing is shown of what is no URL: %s', (text) => {
  expect(() => parseDatabaseUrl(text, '/')).toThrow(/^that is not the URL of a PostgreSQL database$/)
})

test.each(['s3cr@/et', 's3/cret', 's3#cret', '/s3cret@x'])(
  'a password that ends too early is not shown: %s',
  (password) => {
    expect(() => parseDatabaseUrl(`postgres://ann:${password}@db.example/site?sslmode=require`, '/')).toThrow(
      'the PostgreSQL URL has an @ behind its host',
    )
  },
)

test.each([
  ['postgres://ann@db.example/site', 'postgres://ann@db.example/site'],
  ['postgres://ann:s3cret@db.example:5433/site', 'postgres://ann@db.example:5433/site'],
  ['postgres://ann:s3c@ret:x@db.example/site', 'postgres://ann@db.example/site'],
  ['postgres://ann:s3cret@/site?host=/run/pg', 'postgres://ann@/site?host=/run/pg'],
  ['postgres://db.example/site', 'postgres://db.example/site'],
  [
    'postgresql://db.example/site?user=ann&password=s3cret&options=-c%20search_path%3Dshop',
    'postgres://db.example/site?user=ann&options=-c%20search_path%3Dshop',
  ],
  ['postgres://db.example/site?pass%77ord=s3cret', 'postgres://db.example/site'],
  [
    'postgres://db.example/site?sslpassword=s3cret&sslmode=require',
    'postgres://db.example/site?sslmode=require',
  ],
])('%s is typed again without a password', (url, typed) => {
  expect(typedTarget(parseDatabaseUrl(url, '/'))).toBe(typed)
})

test.each([
  ['postgres://ann:secret@db.example:5432/site', 'postgres://ann@db.example:5432/site'],
  [
    'postgres://ann@db.example/site?host=other.example&port=6432&user=bob',
    'postgres://bob@other.example:6432/site',
  ],
  ['postgres://ann@/site?host=/run/sockets', 'postgres://ann@/site?host=/run/sockets'],
  ['postgres://db.example/site?user=bob;password=secret', 'postgres://db.example/site'],
  ['postgres://db.example/site?user=bob:secret', 'postgres://db.example/site'],
  ['postgres://db.example/site?port=5499;password=secret', 'postgres://db.example/site'],
  ['postgres://db.example/site?host=h password=secret', 'postgres://db.example/site'],
  ['postgres://u:12?port=secret@h/site', 'postgres://u:12'],
])('%s is shown without its password', (url, shown) => {
  expect(shownTarget(parseDatabaseUrl(url, '/'))).toBe(shown)
})
