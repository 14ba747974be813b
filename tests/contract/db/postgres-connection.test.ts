import { createServer, type Server } from 'node:net'
import { TLSSocket } from 'node:tls'
import { sql } from 'drizzle-orm'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { parseDatabaseUrl, shownTarget } from '../../../src/db/url.ts'
import { selfSigned } from '../../support/certificate.ts'
import { describeDatabase } from '../../support/databases.ts'
import { ask, SECRET, wordsOf } from '../../support/errors.ts'

/** What a server says that asks for a password: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const SASL = 'R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0'
const SASL_CONTINUE = 'R\0\0\0\x08\0\0\0\x0b'

describeDatabase('postgres', 'connecting', (harness) => {
  const server = () => new URL(inject('postgresUrl'))

  function changed(change: (url: URL) => void): string {
    const url = server()
    change(url)
    return url.href
  }

  const connections: readonly [string, (url: URL) => void, RegExp][] = [
    ['nothing listens', (url) => (url.port = '1'), /^nothing answers at postgres:\/\/postgres@[\d.]+:1\//],
    ['no such host', (url) => (url.hostname = 'no-such-host.invalid'), /^the host of .* has no address$/],
    ['wrong password', (url) => (url.password = SECRET), /^wrong password for postgres:\/\/postgres@/],
    ['no password', (url) => (url.password = ''), /asks for a password$/],
    ['no such role', (url) => (url.username = 'nobody'), /^wrong password for postgres:\/\/nobody@/],
    ['no such database', (url) => (url.pathname = '/nowhere'), /^there is no database .*\/nowhere$/],
    ['a server without SSL', withParameter('sslmode', 'require'), /does not offer an encrypted connection$/],
    ['no such sslmode', withParameter('sslmode', 'yes'), /^there is no such sslmode$/],
    ['an empty sslmode', withParameter('sslmode', ''), /^there is no such sslmode$/],
    [
      'no certificate',
      withParameter('sslrootcert', '/no/root.pem'),
      /^\/no\/root.pem cannot be read: there is no such file or directory$/,
    ],
    [
      'a misspelt sslmode',
      withParameter('sslMode', 'require'),
      /unknown parameter \(did you mean sslmode\?\)$/,
    ],
    ['verify-ca alone', withParameter('sslmode', 'verify-ca'), /^sslmode=verify-ca needs a certificate/],
    ['a schema by another name', withParameter('search_path', 'x'), /has an unknown parameter$/],
    ['a parameter of nobody', withParameter('aplication_name', 'x'), /\(did you mean application_name\?\)$/],
    ['a word of JavaScript', withParameter('constructor', 'x'), /has an unknown parameter$/],
    ['channel binding', withParameter('channel_binding', 'require'), /channel_binding .* is not supported$/],
    ['encryption by GSSAPI', withParameter('gssencmode', 'require'), /gssencmode .* is not supported$/],
    ['a list of revocations', withParameter('sslcrl', '/crl.pem'), /sslcrl .* is not supported$/],
    [
      'a parameter twice',
      (url) => (url.search = 'sslmode=disable&sslmode=require'),
      /^the PostgreSQL URL has the parameter sslmode twice$/,
    ],
    ['libpq alone', withParameter('service', 'x'), /^the parameter service of .* is not supported$/],
    [
      'no number of seconds',
      withParameter('connect_timeout', 'abc'),
      /^connect_timeout is a number of seconds$/,
    ],
    ['no setting', withParameter('options', 'nope'), /^the server does not understand options$/],
    [
      'a setting without a value',
      withParameter('options', '-c search_path'),
      /^the server does not understand options$/,
    ],
    [
      'an option without a value',
      withParameter('options', '--foo'),
      /^the server does not understand options$/,
    ],
    ['no such setting', withParameter('options', '-c nope=1'), /^the server does not know a setting/],
    [
      'a space within a setting',
      withParameter('options', '-c search_path=public,"a b"'),
      /^the server refuses the value of a setting$/,
    ],
    [
      'no such socket',
      withParameter('host', '/no/directory'),
      /^nothing answers at postgres:\/\/postgres@\/[^@]*\?host=\/no\/directory$/,
    ],
    ['another port', withParameter('port', '1'), /^nothing answers at postgres:\/\/postgres@[\d.]+:1\//],
    ['another role', withParameter('user', 'nobody'), /^wrong password for postgres:\/\/nobody@/],
  ]

  test.each(connections)('%s', async (_, change, expected) => {
    const url = changed(change)
    const target = parseDatabaseUrl(url, '/')
    const { message } = await wordsOf(async () => ask(await harness.empty(), url), shownTarget(target))
    expect(message).toMatch(expected)
  })

  test.each(['disable', 'allow', 'prefer'])('sslmode=%s connects to a server without SSL', async (mode) => {
    await ask(await harness.empty(), changed(withParameter('sslmode', mode)))
  })

  test.each(['postgres://u:p@host:port/db', 'postgres://u@host/db#x'])(
    'a URL that is none: %s',
    async (url) => {
      const { message, kind } = await wordsOf(async () => ask(await harness.empty(), url))
      expect([message, kind]).toEqual(['the PostgreSQL URL cannot be read', 'invalid'])
    },
  )

  test.each([
    ['no number', 'abc', '', 'the port in the PostgreSQL URL is no port'],
    ['too large', '65536', '', 'the port in the PostgreSQL URL is no port'],
    ['zero', '0', '', 'the port in the PostgreSQL URL is no port'],
    ['several', '5432,5433', '', 'the port in the PostgreSQL URL is no port'],
    ['too large, in PGPORT', '', '99999', 'PGPORT is no port'],
    ['negative, in PGPORT', '', '-1', 'PGPORT is no port'],
  ])('a port that is %s', async (_, port, fromEnvironment, expected) => {
    vi.stubEnv('PGPORT', fromEnvironment)
    onTestFinished(() => void vi.unstubAllEnvs())
    const url = `postgres://postgres@127.0.0.1/postgres?port=${port}`
    const { message, kind } = await wordsOf(async () => ask(await harness.empty(), url))
    expect([message, kind]).toEqual([expected, 'invalid'])
  })

  test('PGPORT counts only where the URL has no port', async () => {
    vi.stubEnv('PGPORT', '99999')
    onTestFinished(() => void vi.unstubAllEnvs())
    await ask(await harness.empty(), server().href)
  })

  test('currentSchema chooses the schema, as in the URL of the site itself', async () => {
    const database = await harness.empty()
    await database.run('create schema shop')
    const db = await database.open({}, `${database.url}?currentSchema=shop`)
    expect(await db.rows(sql`select current_schema as name`)).toEqual([{ name: 'shop' }])
  })

  test('currentSchema leaves the options of the session as they are', async () => {
    const database = await harness.empty()
    await database.run('create schema shop')
    const options = encodeURIComponent('-c statement_timeout=12345')
    const db = await database.open({}, `${database.url}?options=${options}&currentSchema=shop`)
    expect(
      await db.rows(sql`select current_schema as name, current_setting('statement_timeout') as timeout`),
    ).toEqual([{ name: 'shop', timeout: '12345ms' }])
  })

  test('what Django takes from the same URL is left to it', async () => {
    await ask(await harness.empty(), changed(withParameter('CONN_MAX_AGE', '600')))
  })

  test('a server that never answers has as long as connect_timeout says', async () => {
    const silent = createServer(() => {})
    const url = `postgres://postgres@127.0.0.1:${await portOf(silent)}/postgres?connect_timeout=1`
    const { message } = await wordsOf(async () => ask(await harness.empty(), url))
    expect(message).toBe('nothing answers at TARGET')
    silent.close()
  })

  test('a URL without a host names a socket', async () => {
    const url = 'postgres://someone:secret@/site?host=/no/directory'
    const { message } = await wordsOf(async () => ask(await harness.empty(), url))
    expect(message).toBe('nothing answers at TARGET')
  })

  test.each([
    ['postgres://me:secret@Db.example/site', 'postgres://db.example:5432/site'],
    ['postgres://other@db.example:5432/site?application_name=x', 'postgres://db.example:5432/site'],
    ['postgres://me@db.example/site?port=6432', 'postgres://db.example:6432/site'],
    ['postgres://me@[::1]/site', 'postgres://[::1]:5432/site'],
    ['postgres://me@/one?host=/run/sockets', 'postgres:///one?host=/run/sockets&port=5432'],
    ['postgres://me@/two?host=/run/sockets', 'postgres:///two?host=/run/sockets&port=5432'],
    ['postgres:///two?host=/run/sockets&port=6432', 'postgres:///two?host=/run/sockets&port=6432'],
    ['postgres://db.example', 'postgres://db.example:5432/from_environment'],
    ['postgres:///', 'postgres://elsewhere.example:5432/from_environment'],
  ])('%s is the database %s', async (url, identity) => {
    vi.stubEnv('PGHOST', 'elsewhere.example')
    vi.stubEnv('PGDATABASE', 'from_environment')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect((await (await harness.empty()).open({}, url)).identity).toBe(identity)
  })

  test.each(['prefer', 'require'])(
    'sslmode=%s leaves no connection behind that failed halfway',
    async (mode) => {
      const asksForPassword = createServer((socket) => {
        socket.once('data', () => {
          socket.write('S')
          const secured = new TLSSocket(socket, { isServer: true, ...selfSigned() })
          secured.on('error', () => {})
          const says = [SASL, SASL_CONTINUE]
          secured.on('data', () => secured.write(says.shift() ?? ''))
        })
      })
      const url = `postgres://nobody@127.0.0.1:${await portOf(asksForPassword)}/site?sslmode=${mode}`
      const database = await harness.empty()
      expect((await wordsOf(() => ask(database, url))).message).toBe('TARGET asks for a password')
      await database.close()
      await new Promise((resolve) => asksForPassword.close(resolve))
    },
  )

  test('a server that hangs up', async () => {
    const hangsUp = createServer((socket) => socket.destroy())
    const url = `postgres://postgres:${SECRET}@127.0.0.1:${await portOf(hangsUp)}/postgres`
    const { message } = await wordsOf(async () => ask(await harness.empty(), url))
    expect(message).toBe('the connection to TARGET was lost')
    hangsUp.close()
  })
})

function withParameter(name: string, value: string): (url: URL) => void {
  return (url) => url.searchParams.set(name, value)
}

function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}
