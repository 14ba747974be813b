import { setTimeout as pause } from 'node:timers/promises'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { type SmtpOptions, smtpTransport } from '../../src/mail/smtp-transport.ts'
import { smtpServerFrom } from '../../src/mail/smtp-url.ts'
import type { MailOutcome } from '../../src/mail/transport.ts'
import { SECRET, wordsOf } from '../support/errors.ts'
import { mailTo } from '../support/mail.ts'
import { closedPort, type Script, startListener, startMailServer } from '../support/smtp.ts'

async function connect(
  port: number,
  options: Partial<SmtpOptions> = {},
  url = `smtp://127.0.0.1:${port}?tls=off`,
) {
  return smtpTransport(smtpServerFrom(url, {}, '/'), { connections: 2, ...options })
}

/** Sends one mail to each address, all at once, and returns how the outcomes are called. */
async function sendAll(script: Script, addresses: readonly string[], options: Partial<SmtpOptions> = {}) {
  const server = await startMailServer(script)
  const transport = await connect(server.port, options)
  const outcomes = await Promise.all(addresses.map((address) => transport.send(mailTo(address))))
  await transport.close()
  return { server, outcomes, kinds: outcomes.map(({ kind }) => kind) }
}

/** Sends to one address, with a mail before it that arrives, so that the connection is in use. */
async function sendOne(script: Script, options: Partial<SmtpOptions> = {}, text?: string) {
  const server = await startMailServer(script)
  const transport = await connect(server.port, { connections: 1, ...options })
  expect(await transport.send(mailTo('first@example.com'))).toMatchObject({ kind: 'sent' })
  const outcome = await transport.send(mailTo('anna@example.com', text))
  const last = await transport.send(mailTo('last@example.com'))
  await transport.close()
  return { server, outcome, last }
}

const toAnna = (reply: string) => ({
  recipient: (to: string) => (to === 'anna@example.com' ? reply : undefined),
})
const ofAnna = (reply: string) => ({
  message: (to: string) => (to === 'anna@example.com' ? reply : undefined),
})

describe('a mail server that answers', () => {
  test('thousands of mails go over as many connections as allowed, each of them once', async () => {
    const addresses = Array.from({ length: 2000 }, (_, index) => `user${index}@example.com`)
    const { server, kinds } = await sendAll({}, addresses, { connections: 4 })
    expect(new Set(kinds)).toEqual(new Set(['sent']))
    expect(server.mails.map(({ recipient }) => recipient).sort()).toEqual([...addresses].sort())
    expect(server.connections.most).toBeLessThanOrEqual(4)
    const { source = Buffer.alloc(0) } = server.mails[17] ?? {}
    const mail = await simpleParser(source)
    expect(mail.text).toBe(`For ${server.mails[17]?.recipient}.`)
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
  })

  test.each<[string, MailOutcome['kind']]>([
    ['550 5.1.1 no such user', 'bounced'],
    ['550 <anna@example.com>: no such user here', 'bounced'],
    ['552 5.2.2 mailbox full', 'bounced'],
    ['550 5.1.1 user unknown in relay recipient table', 'bounced'],
    ['554 5.7.1 blocked, see https://list.example/?r=anna%40example.com', 'refused'],
    ['553 5.1.8 bad domain of sender', 'refused'],
    ['450 4.2.0 greylisted', 'deferred'],
    ['421 4.3.2 shutting down', 'deferred'],
  ])('of a recipient: %s', async (reply, kind) => {
    const { outcome, last, server } = await sendOne(toAnna(reply))
    expect(outcome.kind).toBe(kind)
    expect(outcome.reply).toContain(reply.slice(0, 5))
    expect(outcome.reply).not.toContain('anna')
    expect(last.kind).toBe('sent')
    expect(server.mails.map(({ recipient }) => recipient)).not.toContain('anna@example.com')
  })

  test.each([
    '550 No such user here',
    '550 User unknown',
    '550 Requested action not taken: mailbox unavailable',
    '550 <anna@example.com>: Recipient address rejected: User unknown in local recipient table',
    '550 5.4.1 Recipient address rejected: Access denied. AS(201806281)',
    '550 5.5.0 Requested action not taken: mailbox unavailable',
    '550 Invalid recipient',
    '550 Unrouteable address',
    '550 anna... User not listed in Domino Directory',
    '550 Mailbox disabled/blocked',
    '550 This account has been blocked or suspended',
    '550 Host unknown',
    '551 User not local',
    '552 Requested mail action aborted: exceeded storage allocation',
    '553 Mailbox name not allowed',
    '556 5.1.10 Recipient address has null MX',
    '554 5.1.1 Unknown user, your message is blocked',
    '501 5.1.3 Bad recipient address syntax',
  ])('of a mailbox: %s', async (reply) => {
    const { kinds } = await sendAll(toAnna(reply), ['anna@example.com'])
    expect(kinds).toEqual(['bounced'])
  })

  test.each([
    '500 Command unrecognized',
    '501 Syntax error in parameters',
    '550 Sender verify failed',
    '550 Verification failed for <forum@site.example>, previous (cached) callout: Sender verify failed',
    '550 Blocked: your IP 192.0.2.1 is listed by zen.spamhaus.org',
    '550 Rejected because 192.0.2.1 is in a black list at bl.list.example',
    '550 JunkMail rejected - mail.site.example is in an RBL, see list.example',
    '550 SC-001 Unfortunately, messages from 192.0.2.1 were not sent: part of their network is on our block list',
    '550 SPF check failed',
    '550 DMARC: unauthenticated mail is prohibited',
    '550 Administrative prohibition',
    '550 Rejected by local policy',
    '550 Client host rejected: cannot find your reverse hostname',
    '550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)',
    '550 Please turn on SMTP Authentication in your mail client',
    '550 Your account is blocked',
    '550 Too many messages from you today',
    '550 Domain frequency limited',
    '550 5.5.0 Rate limit exceeded',
    '554 Transaction failed, message refused by reputation',
    '554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help)',
    '555 RCPT TO parameters not recognized',
  ])('of the sender, although a recipient was named: %s', async (reply) => {
    const { kinds } = await sendAll(toAnna(reply), ['anna@example.com'])
    expect(kinds).toEqual(['refused'])
  })

  test.each<[string, MailOutcome['kind']]>([
    ['554 5.7.1 looks like spam', 'refused'],
    ['553 5.1.8 bad domain of sender', 'refused'],
    ['550 5.1.1 no such user', 'bounced'],
    ['552 5.3.4 too large', 'refused'],
    ['451 4.3.0 try later', 'deferred'],
    ['421 4.3.2 shutting down', 'deferred'],
  ])('of a message: %s', async (reply, kind) => {
    const { outcome, last } = await sendOne(ofAnna(reply))
    expect(outcome).toEqual({ kind, reply })
    expect(last.kind).toBe('sent')
  })

  test('some recipients do not exist, and the others get their mail', async () => {
    const addresses = Array.from({ length: 200 }, (_, index) => `user${index}@example.com`)
    const gone = new Set(addresses.filter((_, index) => index % 10 === 3))
    const script = { recipient: (to: string) => (gone.has(to) ? '550 5.1.1 no such user' : undefined) }
    const { server, kinds } = await sendAll(script, addresses)
    expect(addresses.filter((_, index) => kinds[index] === 'bounced')).toEqual([...gone])
    expect(server.mails.length).toBe(180)
    expect(Math.max(...server.attempts.values())).toBe(1)
  })

  test('letters of any script arrive', async () => {
    const { server, kinds } = await sendAll({}, ['müller@bücher.example', 'anna@bücher.example'])
    expect(kinds).toEqual(['sent', 'sent'])
    // The server reads xn--bcher-kva, and shows bücher.
    expect([...server.attempts.keys()].sort()).toEqual(['anna@bücher.example', 'müller@bücher.example'])
  })

  test('one that knows no such letters has not said that the address is none', async () => {
    const { outcomes } = await sendAll({ recipient: () => '553 5.6.7 no UTF-8' }, ['müller@example.com'])
    expect(outcomes).toEqual([{ kind: 'refused', reply: '553 5.6.7 no UTF-8' }])
  })
})

describe('a connection that breaks', () => {
  test.each(['cut', 'silence'])(
    'after the message (%s): nobody knows, and it is not sent again',
    async (how) => {
      const { server, outcome, last } = await sendOne(ofAnna(how), { silenceMilliseconds: 2_000 })
      expect(outcome).toEqual({
        kind: 'uncertain',
        reply: 'the connection was lost when the mail had been handed over',
      })
      expect(last.kind).toBe('sent')
      // Longer than nodemailer waits before it sends again.
      await pause(500)
      expect(server.attempts.get('anna@example.com')).toBe(1)
      expect(server.mails.filter(({ recipient }) => recipient === 'anna@example.com').length).toBe(1)
    },
  )

  test('of many at work, none is sent twice', async () => {
    const addresses = Array.from({ length: 60 }, (_, index) => `user${index}@example.com`)
    const script = { message: (to: string) => (Number(to.match(/\d+/)) % 3 === 0 ? 'cut' : undefined) }
    const { server, kinds } = await sendAll(script, addresses, { connections: 4 })
    await pause(500)
    expect(kinds).toEqual(addresses.map((_, index) => (index % 3 === 0 ? 'uncertain' : 'sent')))
    expect(server.mails.map(({ recipient }) => recipient).sort()).toEqual([...addresses].sort())
  })

  test('in the middle of the message: it can be sent again', async () => {
    const script = { begun: (to: string) => (to === 'anna@example.com' ? 'cut' : undefined) }
    const { server, outcome, last } = await sendOne(script, {}, 'x\n'.repeat(5_000_000))
    expect(outcome.kind).toBe('deferred')
    expect(last.kind).toBe('sent')
    expect(server.attempts.get('anna@example.com')).toBe(1)
  })

  test('before the message, in a connection that was in use: it goes over another one', async () => {
    const script = {
      recipient: (to: string, attempt: number) =>
        to === 'anna@example.com' && attempt === 1 ? 'cut' : undefined,
    }
    const { server, outcome } = await sendOne(script)
    expect(outcome.kind).toBe('sent')
    expect(server.mails.map(({ recipient }) => recipient)).toEqual([
      'first@example.com',
      'anna@example.com',
      'last@example.com',
    ])
  })

  test('before the message, in a new connection: it can be sent again', async () => {
    const { kinds, server } = await sendAll(toAnna('cut'), ['anna@example.com'])
    expect(kinds).toEqual(['deferred'])
    expect(server.mails).toEqual([])
  })

  test('for good, after mails have arrived: the run stops', async () => {
    const server = await startMailServer()
    const transport = await connect(server.port)
    await transport.send(mailTo('first@example.com'))
    await server.close()
    const error = await wordsOf(() => transport.send(mailTo('anna@example.com')))
    expect(error.message).toBe(
      `the mail server 127.0.0.1:${server.port} cannot be reached: it refuses the connection`,
    )
  })
})

describe('no mail at all can be sent', () => {
  async function failure(port: number, url?: string) {
    const transport = await connect(port, { silenceMilliseconds: 2_000 }, url)
    const error = await wordsOf(() => transport.send(mailTo('anna@example.com')))
    await transport.close()
    expect(`${error.message}${error.hint}`).not.toMatch(/anna/)
    expect(error.kind).toBe('failed')
    return error.message.replace(`the mail server 127.0.0.1:${port} `, '')
  }

  test('nobody listens', async () => {
    expect(await failure(await closedPort())).toBe('cannot be reached: it refuses the connection')
  })

  test('there is no such host', async () => {
    const url = 'smtp://mail.invalid'
    expect(await failure(587, url)).toMatch(/mail\.invalid:587 cannot be reached: /)
  })

  test('the connection is closed before the greeting', async () => {
    const port = await startListener((socket) => socket.end())
    expect(await failure(port)).toBe('cannot be reached: it closes the connection')
  })

  test('there is no greeting', async () => {
    expect(await failure(await startListener(() => {}))).toBe('cannot be reached: it does not answer')
  })

  test('the greeting is a refusal', async () => {
    const port = await startListener((socket) => socket.end('554 5.7.1 go away\r\n'))
    expect(await failure(port)).toBe('does not want to talk: 554 5.7.1 go away')
  })

  test('it is no mail server', async () => {
    const port = await startListener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await failure(port)).toMatch(/^cannot be reached: /)
  })

  test.each([
    '554 5.7.1 <anna@example.com>: Relay access denied',
    '454 4.7.1 <anna@example.com>: Relay access denied',
  ])('no mail is passed on: %s', async (reply) => {
    const { port } = await startMailServer({ recipient: () => reply })
    expect(await failure(port)).toBe(`passes no mail on: ${reply.replace('anna@example.com', '(address)')}`)
  })

  test('the sender is refused', async () => {
    const { port } = await startMailServer(
      {},
      {
        onMailFrom: (_, __, done) => done(Object.assign(new Error('5.7.1 not yours'), { responseCode: 553 })),
      },
    )
    expect(await failure(port)).toBe('refuses the sender: 553 5.7.1 not yours')
    const later = await startMailServer({ recipient: () => '553 5.7.1 Sender address rejected: not yours' })
    expect(await failure(later.port)).toBe('refuses the sender: 553 5.7.1 Sender address rejected: not yours')
  })

  test('the password is wrong', async () => {
    const { port, attempts } = await startMailServer(
      {},
      { ...ONLY_WITH_LOGIN, onAuth: (_, __, done) => done(null, {}) },
    )
    expect(await failure(port, `smtp://ann:${SECRET}@127.0.0.1:${port}?tls=off`)).toMatch(
      /^refuses the login: 535 /,
    )
    expect(attempts.size).toBe(0)
  })

  test('a login is demanded, and there is none', async () => {
    const { port } = await startMailServer({}, ONLY_WITH_LOGIN)
    expect(await failure(port)).toMatch(/^refuses the login: 530 /)
  })

  test('a login is unknown to the server, which repeats what it was', async () => {
    const port = await startListener((socket) => {
      socket.write('220 hello\r\n')
      socket.on('data', (data) => {
        const line = data.toString().trim()
        socket.write(/^EHLO|^RSET/.test(line) ? '250 hello\r\n' : `502 5.5.1 unknown command "${line}"\r\n`)
      })
    })
    expect(await failure(port, `smtp://ann:${SECRET}@127.0.0.1:${port}?tls=off`)).toBe(
      'refuses the login: 502 5.5.1 unknown command "AUTH PLAIN …"',
    )
  })
})

const ONLY_WITH_LOGIN = { authOptional: false, authMethods: ['PLAIN', 'LOGIN'], allowInsecureAuth: true }

test('a login that is right is let in', async () => {
  const { port, mails, logins } = await startMailServer({}, ONLY_WITH_LOGIN)
  const transport = await connect(port, {}, `smtp://ann%40example.com:p%3Aw%2F@127.0.0.1:${port}?tls=off`)
  await transport.send(mailTo('anna@example.com'))
  await transport.close()
  expect(logins).toEqual(['ann@example.com:p:w/'])
  expect(mails.length).toBe(1)
})
