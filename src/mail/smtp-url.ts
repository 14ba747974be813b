import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { invalid, UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { didYouMean } from '../suggest.ts'

/** `implicit`: from the first byte. `required`: STARTTLS, or nothing is sent. `optional`: when the server offers it, and then its certificate must be good. */
export type SmtpTls = 'implicit' | 'required' | 'optional' | 'off'

/** A mail server. Holds a password: never print it whole. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  readonly tls: SmtpTls
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** A file of certificates that vouch for the server, instead of the system's. */
  readonly ca?: string | undefined
}

export interface Credentials {
  readonly user?: string | undefined
  readonly password?: string | undefined
}

const PARAMETERS = ['tls', 'ca']
const TLS_MODES = ['required', 'optional', 'off'] as const
const SUBMISSION = 587
const SUBMISSIONS = 465
const HINT =
  'it looks like smtp://user@mail.example:587 or smtps://mail.example; in a password, / ? # @ % are %2F %3F %23 %40 %25'

/**
 * Returns the server of `smtp://[user[:password]@]host[:port]` or `smtps://…`, with `?tls=required|optional|off` and
 * `?ca=FILE` (from `directory`). Without `tls`, STARTTLS is required. What the URL leaves out of the login is taken from
 * `credentials`. Throws a UserError (invalid) that shows nothing of the URL: a password can get into any part of it.
 */
export function smtpServerFrom(text: string, credentials: Credentials, directory: string): SmtpServer {
  const url = urlOf(text)
  const tls = tlsOf(url)
  const ca = url.searchParams.get('ca')
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (tls === 'implicit' ? SUBMISSIONS : SUBMISSION),
    tls,
    ca: ca === null ? undefined : resolve(directory, ca),
    ...login(url, credentials, tls),
  }
}

/** Returns the certificates of the file. Throws a UserError when it cannot be read, or holds none. */
export async function certificatesIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`the certificates cannot be read from ${file}: ${fileReason(error)}`)
  })
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw invalid(`${file} holds no certificate`, 'it is a PEM file')
}

/** Returns the server as it may be shown. */
export function shownServer({ host, port }: SmtpServer): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function urlOf(text: string): URL {
  const url = /^smtps?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.hostname === '' || !['', '/'].includes(url.pathname) || url.hash !== '') {
    throw invalid('the SMTP URL cannot be read', HINT)
  }
  for (const name of url.searchParams.keys()) {
    if (PARAMETERS.includes(name)) continue
    throw invalid(
      `the SMTP URL has an unknown parameter${didYouMean(name, PARAMETERS)}`,
      'there are tls and ca',
    )
  }
  return url
}

function login(url: URL, credentials: Credentials, tls: SmtpTls): Credentials {
  const user = decoded(url.username) ?? credentials.user
  const password = decoded(url.password) ?? credentials.password
  if ((user === undefined) !== (password === undefined)) {
    throw invalid(
      `the mail server gets a login without a ${user === undefined ? 'user name' : 'password'}`,
      'in the SMTP URL, or USERMGMT_SMTP_USER and USERMGMT_SMTP_PASSWORD',
    )
  }
  if (tls === 'optional' && password !== undefined) {
    // Whoever sits between can hide the offer, and read along.
    throw invalid(
      'with tls=optional a password can go through the network for all to read',
      'tls=required; or tls=off where nobody else can listen',
    )
  }
  return { user, password }
}

function tlsOf({ protocol, searchParams }: URL): SmtpTls {
  const asked = searchParams.get('tls')
  if (protocol === 'smtps:') {
    if (asked === null) return 'implicit'
    throw invalid('smtps:// is always encrypted', 'leave tls out, or write smtp://')
  }
  if (asked === null) return 'required'
  const found = TLS_MODES.find((mode) => mode === asked)
  if (found) return found
  throw invalid(
    `the SMTP URL has a tls that does not exist${didYouMean(asked, TLS_MODES)}`,
    `one of: ${TLS_MODES.join(', ')}`,
  )
}

function decoded(part: string): string | undefined {
  if (part === '') return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('the user name or password in the SMTP URL has a % that is not %25', HINT)
  }
}
