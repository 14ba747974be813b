import { createServer, type Server } from 'node:net'
import { expect, inject, test } from 'vitest'
import { parseDatabaseUrl, shownTarget } from '../../src/db/url.ts'
import { describeDatabase } from '../support/databases.ts'
import { ask, SECRET, wordsOf } from '../support/errors.ts'

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
    ['no such sslmode', withParameter('sslmode', 'yes'), /^there is no sslmode yes$/],
    ['no certificate', withParameter('sslrootcert', '/no/root.pem'), /^\/no\/root.pem cannot be read$/],
    [
      'a misspelt sslmode',
      withParameter('sslMode', 'require'),
      /unknown parameter \(did you mean sslmode\?\)$/,
    ],
    ['verify-ca alone', withParameter('sslmode', 'verify-ca'), /^sslmode=verify-ca needs a certificate/],
    ['no such setting', withParameter('options', '-c nope=1'), /^the server does not know a setting/],
    ['no such socket', withParameter('host', '/no/directory'), /^nothing answers at /],
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

  test.each(['postgres://u:p#x@host/db', 'postgres://u:p@host:port/db', 'postgres://u@host/db#x'])(
    'a URL that is none: %s',
    async (url) => {
      const { message, kind } = await wordsOf(async () => ask(await harness.empty(), url))
      expect([message, kind]).toEqual(['the PostgreSQL URL cannot be read', 'invalid'])
    },
  )

  test('a URL without a host names a socket', async () => {
    const url = 'postgres://someone:secret@/site?host=/no/directory'
    const { message } = await wordsOf(async () => ask(await harness.empty(), url))
    expect(message).toBe('nothing answers at TARGET')
  })

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
