import { expect, test } from 'vitest'
import { patiently } from '../../src/mail/patiently.ts'
import { smtpTransport } from '../../src/mail/smtp-transport.ts'
import { testClock } from '../support/clock.ts'
import { mailTo } from '../support/mail.ts'
import { startMailServer } from '../support/smtp.ts'

/** Sends to a server that defers the first mails to anyone so often. */
async function send(deferrals: number, reply = '450 4.2.0 greylisted', signal?: AbortSignal) {
  const server = await startMailServer({
    recipient: (_, attempt) => (attempt <= deferrals ? reply : undefined),
  })
  const clock = testClock()
  const smtp = await smtpTransport({ host: '127.0.0.1', port: server.port, tls: 'off' }, { connections: 1 })
  const mail = mailTo('anna@example.com')
  const outcome = await patiently(() => smtp.send(mail), clock, signal)
  await smtp.close()
  return {
    outcome,
    slept: clock.slept,
    attempts: server.attempts.get('anna@example.com'),
    mails: server.mails,
  }
}

test.each([1, 2, 3])('a mail deferred %i times arrives, after pauses that grow', async (deferrals) => {
  const { outcome, slept, attempts, mails } = await send(deferrals)
  expect(outcome.kind).toBe('sent')
  expect(slept).toEqual([1_000, 5_000, 25_000].slice(0, deferrals))
  expect(attempts).toBe(deferrals + 1)
  expect(mails.length).toBe(1)
})

test('one that is deferred again and again is given up', async () => {
  const { outcome, attempts } = await send(99, '421 4.3.2 shutting down')
  expect(outcome).toEqual({ kind: 'deferred', reply: '421 4.3.2 shutting down' })
  expect(attempts).toBe(4)
})

test.each(['550 5.1.1 no such user', '554 5.7.1 spam'])(
  'one that gets %s is not tried again',
  async (reply) => {
    const { attempts, slept } = await send(99, reply)
    expect(attempts).toBe(1)
    expect(slept).toEqual([])
  },
)

test('nothing is tried again when the run is interrupted', async () => {
  const { outcome, attempts } = await send(1, undefined, AbortSignal.abort())
  expect(outcome.kind).toBe('deferred')
  expect(attempts).toBe(1)
})
