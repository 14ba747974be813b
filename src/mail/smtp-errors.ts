import type { NodemailerError } from 'nodemailer'
import { UserError } from '../errors.ts'
import { type SmtpServer, shownServer } from './smtp-url.ts'
import { cleanReply, type MailOutcome } from './transport.ts'

/** What is known about an attempt that failed. */
export interface Attempt {
  readonly error: NodemailerError
  readonly server: SmtpServer
  /** All of the message has been written but, perhaps, for the dot that ends it. */
  readonly handedOver: boolean
  /** A session has begun: for this mail, for any mail. */
  readonly began: boolean
  readonly hasWorked: boolean
  /** The address needs the extension SMTPUTF8. */
  readonly international: boolean
}

/**
 * Returns what the failure means for this mail. Throws a UserError when it means that no mail can be sent; then this one
 * has not been.
 */
export function outcomeOf(attempt: Attempt): MailOutcome {
  const { error, handedOver, began, hasWorked } = attempt
  const code = error.responseCode ?? 0
  if (handedOver && !(error.code === 'EMESSAGE' && code >= 400)) {
    return outcome('uncertain', 'the connection was lost when the mail had been handed over')
  }
  if (error.code === 'EAUTH' || error.code === 'ENOAUTH') throw loginFailure(attempt)
  if (isTlsFailure(error)) throw tlsFailure(attempt)
  if (code >= 400) return answered(attempt, code)
  if (error.code === 'EENVELOPE') return outcome('refused', 'the address cannot be written in SMTP')
  if (!began && (!hasWorked || neverConnected(error))) throw unreachable(attempt)
  return outcome('deferred', 'the connection was lost before the mail had been handed over')
}

const FEWER = '(fewer connections at once: --concurrency)'

/** The server answered with 4xx or 5xx; to what, `command` tells. */
function answered(attempt: Attempt, code: number): MailOutcome {
  const { error } = attempt
  const reply = cleanReply(error.response ?? `${code}`)
  if (error.code === 'ECONNECTION' || error.code === 'EPROTOCOL') {
    if (code < 500)
      return outcome('deferred', /too many|connections/i.test(reply) ? `${reply} ${FEWER}` : reply)
    throw failure(attempt, `does not want to talk: ${reply}`)
  }
  if (error.command === 'RCPT TO') return recipientRefused(attempt, code, reply)
  if (code < 500 || code === 503) return outcome('deferred', reply)
  if (code === 530 || code === 538) throw loginFailure(attempt)
  if (error.command === 'MAIL FROM') throw failure(attempt, `refuses the sender: ${reply}`, 'see --from')
  // Of the message as a whole, unless the enhanced code says that it is the mailbox.
  return outcome(MAILBOX.test(reply) ? 'bounced' : 'refused', reply)
}

/** RFC 3463: 5.1 and 5.2 are about the mailbox, but for 5.1.7 and 5.1.8; 5.7 is about who may send what. */
const MAILBOX = /^\d{3}[ -][45]\.(1\.(?![78]\b)|2\.)/
const POLICY = /^\d{3}[ -][45]\.(7\.|1\.[78]\b)/

/**
 * RFC 5321, 4.2.3: 550 is for a mailbox that is not there, and "for policy reasons". Where no enhanced code says which, the
 * words do, of who sends, from where, how much or what; but a mailbox may be blocked, too, and "not listed".
 */
const ABOUT_SENDER = new RegExp(
  [
    /sender|client|\bhelo\b|\bip\b|from you\b|your (account|domain|host|network|server)|authenticat/,
    /(?<!\b(mailbox|account|user)\b[\w\s/]*)block|black.?list|(?<!\bnot )listed|\b(rbl|dnsbl)\b/,
    /spam|junk|\b(spf|dkim|dmarc)\b|reputation|reverse|policy|policies|prohibit/,
    /too many|too much|\brate\b|rate.?limit|frequency/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
)

/** Servers judge the sender and the client here too (Postfix: smtpd_delay_reject). */
function recipientRefused(attempt: Attempt, code: number, reply: string): MailOutcome {
  if (/\brelay/i.test(reply) && !MAILBOX.test(reply)) {
    throw failure(attempt, `passes no mail on: ${reply}`, 'does it take a login? see the SMTP URL')
  }
  if (code < 500 || code === 503) return outcome('deferred', reply)
  if (code === 530 || code === 538) throw loginFailure(attempt)
  if (/\bsender address\b/i.test(reply)) {
    throw failure(attempt, `refuses the sender: ${reply}`, 'see --from')
  }
  return outcome(attempt.international || isNotOfMailbox(code, reply) ? 'refused' : 'bounced', reply)
}

/** 500 to 504 and 555 are about the command, 554 about the transaction (RFC 5321, 4.2.3). */
function isNotOfMailbox(code: number, reply: string): boolean {
  if (MAILBOX.test(reply)) return false
  return code <= 504 || code === 554 || code === 555 || POLICY.test(reply) || ABOUT_SENDER.test(reply)
}

function outcome(kind: MailOutcome['kind'], reply: string): MailOutcome {
  return { kind, reply }
}

const TLS_CODES = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO$)/

function isTlsFailure({ code, originalCode, responseCode }: NodemailerError): boolean {
  return code === 'ETLS' || (responseCode === undefined && TLS_CODES.test(originalCode ?? ''))
}

function neverConnected({ code, originalCode, timeoutType }: NodemailerError): boolean {
  if (code === 'EDNS' || (timeoutType !== undefined && timeoutType !== 'SOCKET_TIMEOUT')) return true
  return ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'].includes(
    originalCode ?? '',
  )
}

function loginFailure(attempt: Attempt): UserError {
  const { error, server } = attempt
  if (/\bSTARTTLS\b/i.test(error.response ?? '')) {
    return failure(attempt, 'demands encryption', 'leave tls=off out of the SMTP URL')
  }
  const reply = cleanReply(withoutLogin(error.response ?? 'nobody said as whom', server))
  return failure(
    attempt,
    `refuses the login: ${reply}`,
    'see the user name and password: USERMGMT_SMTP_USER, USERMGMT_SMTP_PASSWORD',
  )
}

/** Returns the reply without what we sent to log in: some servers repeat a command that they do not know. */
function withoutLogin(reply: string, { user, password }: SmtpServer): string {
  if (user === undefined || password === undefined) return reply
  const base64 = [password, `\0${user}\0${password}`, user].map((text) =>
    Buffer.from(text).toString('base64'),
  )
  const lower = [...base64, password].map((secret) => secret.toLowerCase())
  const words = reply.split(/(\s+|["'<>])/)
  return words
    .map((word) => (lower.some((secret) => word.toLowerCase().includes(secret)) ? '…' : word))
    .join('')
}

function tlsFailure(attempt: Attempt): UserError {
  const { error } = attempt
  if (error.response !== undefined || /STARTTLS/.test(error.message)) {
    return failure(
      attempt,
      'offers no encryption',
      'to send in the clear: ?tls=off at the end of the SMTP URL',
    )
  }
  if (/wrong version number|packet length too long/i.test(error.message)) {
    return failure(attempt, 'does not speak TLS on this port', 'smtp:// instead of smtps://, or another port')
  }
  const why = cleanReply(error.message.replace(/^Error initiating TLS - /, ''))
  return failure(
    attempt,
    `cannot be trusted: ${why}`,
    'certificates of its own: ?ca=FILE at the end of the SMTP URL',
  )
}

function unreachable(attempt: Attempt): UserError {
  const { error } = attempt
  const why: Record<string, string> = {
    ECONNREFUSED: 'it refuses the connection',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'its name cannot be looked up',
    EDNS: 'there is no such host',
    ETIMEDOUT: 'it does not answer',
    ECONNECTION: 'it closes the connection',
    ESOCKET: 'the connection breaks',
  }
  const known = why[error.originalCode ?? ''] ?? why[error.code ?? '']
  return failure(attempt, `cannot be reached: ${known ?? cleanReply(error.message)}`, 'see the SMTP URL')
}

function failure({ server }: Attempt, what: string, hint?: string): UserError {
  return new UserError(`the mail server ${shownServer(server)} ${what}`, { hint })
}
