import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { smtpTransport } from '../../src/mail/smtp-transport.ts'
import { smtpServerFrom } from '../../src/mail/smtp-url.ts'
import { selfSigned } from '../support/certificate.ts'
import { withDirectory } from '../support/directory.ts'
import { SECRET, wordsOf } from '../support/errors.ts'
import { mailTo } from '../support/mail.ts'
import { startMailServer } from '../support/smtp.ts'

const certificate = selfSigned()
const ENCRYPTED = { ...certificate, disabledCommands: [] }
let directory: string

withDirectory(beforeAll, async (path) => {
  directory = path
  await writeFile(join(directory, 'ca.pem'), certificate.cert)
  await writeFile(join(directory, 'other.pem'), selfSigned().cert)
  await writeFile(join(directory, 'key.pem'), certificate.key)
})

async function send(url: string) {
  const transport = await smtpTransport(smtpServerFrom(url, {}, directory), { connections: 1 })
  try {
    return await transport.send(mailTo('anna@example.com'))
  } finally {
    await transport.close()
  }
}

describe('a connection is encrypted', () => {
  test.each(['127.0.0.1', 'localhost'])('with STARTTLS, to %s', async (host) => {
    const { port, mails, connections } = await startMailServer({}, ENCRYPTED)
    expect(await send(`smtp://${host}:${port}?ca=ca.pem`)).toMatchObject({ kind: 'sent' })
    expect(mails.length).toBe(1)
    expect(connections.encrypted).toBe(1)
  })

  test('from the first byte', async () => {
    const { port, mails } = await startMailServer({}, { ...ENCRYPTED, secure: true })
    expect(await send(`smtps://127.0.0.1:${port}?ca=ca.pem`)).toMatchObject({ kind: 'sent' })
    expect(mails.length).toBe(1)
  })

  test('where the server offers it, when that is asked for', async () => {
    const { port, connections } = await startMailServer({}, ENCRYPTED)
    expect(await send(`smtp://127.0.0.1:${port}?tls=optional&ca=ca.pem`)).toMatchObject({ kind: 'sent' })
    expect(connections.encrypted).toBe(1)
    const plain = await startMailServer()
    expect(await send(`smtp://127.0.0.1:${plain.port}?tls=optional`)).toMatchObject({ kind: 'sent' })
  })

  test('not, when that is asked for', async () => {
    const { port, connections } = await startMailServer({}, ENCRYPTED)
    expect(await send(`smtp://127.0.0.1:${port}?tls=off`)).toMatchObject({ kind: 'sent' })
    expect(connections.encrypted).toBe(0)
  })
})

describe('nothing is sent, not even the password,', () => {
  test.each([
    ['without', 'smtp', ''],
    ['with those of another', 'smtp', 'ca=other.pem'],
    ['although encryption is optional, without', 'smtp', 'tls=optional'],
    ['from the first byte, without', 'smtps', ''],
  ])('%s certificates that vouch for the server', async (_, scheme, parameters) => {
    const server = await startMailServer({}, { ...ENCRYPTED, secure: scheme === 'smtps' })
    const login = parameters.includes('optional') ? '' : `ann:${SECRET}@`
    const error = await wordsOf(() => send(`${scheme}://${login}127.0.0.1:${server.port}?${parameters}`))
    expect(error.message).toMatch(`the mail server 127.0.0.1:${server.port} cannot be trusted: `)
    expect(error.hint).toMatch(/\?ca=FILE/)
    expect(server.attempts.size).toBe(0)
    expect(server.logins).toEqual([])
  })

  test('to another host than the certificate names', async () => {
    const elsewhere = selfSigned('192.0.2.1')
    await writeFile(join(directory, 'elsewhere.pem'), elsewhere.cert)
    const { port, attempts } = await startMailServer({}, { ...ENCRYPTED, ...elsewhere })
    const error = await wordsOf(() => send(`smtp://127.0.0.1:${port}?ca=elsewhere.pem`))
    expect(error.message).toMatch(/cannot be trusted: .*127\.0\.0\.1/)
    expect(attempts.size).toBe(0)
  })

  test('to a server without STARTTLS', async () => {
    const server = await startMailServer()
    const error = await wordsOf(() => send(`smtp://ann:${SECRET}@127.0.0.1:${server.port}`))
    expect(error.message).toBe(`the mail server 127.0.0.1:${server.port} offers no encryption`)
    expect(error.hint).toMatch(/tls=off/)
    expect(server.logins).toEqual([])
  })

  test('to a server that does not encrypt from the first byte', async () => {
    const { port } = await startMailServer({}, ENCRYPTED)
    const error = await wordsOf(() => send(`smtps://127.0.0.1:${port}`))
    expect(error.message).toMatch(/does not speak TLS on this port$/)
  })

  test('in the clear to a server that demands encryption', async () => {
    const { port } = await startMailServer({}, { ...ENCRYPTED, authOptional: false })
    const error = await wordsOf(() => send(`smtp://ann:${SECRET}@127.0.0.1:${port}?tls=off`))
    expect(error.message).toMatch(/demands encryption$/)
  })
})

test.each([
  ['missing.pem', 'failed', /cannot be read from .*missing\.pem: there is no such file/],
  ['key.pem', 'invalid', /key\.pem holds no certificate/],
])('certificates in %s', async (file, kind, message) => {
  const error = await wordsOf(() => send(`smtp://127.0.0.1:25?ca=${file}`))
  expect(error).toMatchObject({ kind, message: expect.stringMatching(message) })
})
