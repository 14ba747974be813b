import type { Readable } from 'node:stream'
import nodemailer, { type NodemailerError, type SMTPPoolOptions } from 'nodemailer'
import type { Message } from './message.ts'
import { outcomeOf } from './smtp-errors.ts'
import { certificatesIn, type SmtpServer } from './smtp-url.ts'
import { cleanReply, type Transport } from './transport.ts'

export interface SmtpOptions {
  /** Connections at once. */
  readonly connections: number
  /** How long a server may be silent. */
  readonly silenceMilliseconds?: number
}

const CONNECT_MILLISECONDS = 30_000
const SILENCE_MILLISECONDS = 300_000

/** Returns one pool of connections to the server; it connects when the first mail is sent. Throws a UserError for a wrong `ca`. */
export async function smtpTransport(server: SmtpServer, options: SmtpOptions): Promise<Transport> {
  const pool = nodemailer.createTransport({ ...(await poolOptions(server, options)), pool: true as const })
  // Where the message is known as a stream.
  pool.use('stream', (mail, done) => {
    const { watch } = mail.data as WatchedMessage
    mail.message?.processFunc((source) => watched(source, watch))
    done()
  })
  let hasWorked = false
  return {
    async send(message) {
      const watch: Watch = { began: false, handedOver: false }
      try {
        const { response } = await pool.sendMail({ ...message, watch } as WatchedMessage)
        return { kind: 'sent', reply: cleanReply(response) }
      } catch (error) {
        const international = message.envelope.to.some((address) => !/^\p{ASCII}*@/u.test(address))
        return outcomeOf({ error: error as NodemailerError, server, hasWorked, international, ...watch })
      } finally {
        hasWorked ||= watch.began
      }
    },
    close: async () => pool.close(),
  }
}

interface Watch {
  began: boolean
  handedOver: boolean
}

type WatchedMessage = Message & { readonly watch: Watch }

/**
 * Watches the message as a stream: nodemailer asks for it when a session has begun, and reads it when the server wants it.
 * At its end, and never before, follows the dot with which the server takes the mail.
 */
function watched(source: Readable, watch: Watch): Readable {
  // nodemailer sends again what a dying connection has not begun with. It must not be wrong about that.
  if (watch.handedOver) source.destroy(new Error('the mail has been handed over already'))
  watch.began = true
  source.once('end', () => {
    watch.handedOver = true
  })
  return source
}

async function poolOptions(server: SmtpServer, options: SmtpOptions): Promise<SMTPPoolOptions> {
  const { host, port, tls, user, password } = server
  const silence = options.silenceMilliseconds ?? SILENCE_MILLISECONDS
  const ca = server.ca === undefined ? undefined : await certificatesIn(server.ca)
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'off',
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' }, forceAuth: true }),
    tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    maxConnections: options.connections,
    connectionTimeout: CONNECT_MILLISECONDS,
    greetingTimeout: Math.min(CONNECT_MILLISECONDS, silence),
    socketTimeout: silence,
  }
}
