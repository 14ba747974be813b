import pg from 'pg'
import { invalid, type UserError } from '../../errors.ts'
import { didYouMean } from '../../suggest.ts'
import { trackedSockets } from './sockets.ts'

/** How long a server has to answer. */
export const CONNECT_MILLISECONDS = 15_000

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/** Of libpq: https://www.postgresql.org/docs/current/libpq-connect.html; and of pg. */
const SSL_PARAMETERS = [
  'sslmode',
  'sslnegotiation',
  'sslcompression',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslcertmode',
  'sslrootcert',
  'sslcrl',
  'sslcrldir',
  'sslsni',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'ssl',
]

/**
 * Returns the URL for pg with libpq's meaning of `sslmode`, which PGSSLMODE may give as well: pg's own takes
 * `require` for `verify-full`. Throws a UserError when the URL cannot be used; never repeats it.
 */
export async function connectionUrl(text: string): Promise<string> {
  refuseMisspelt(text)
  const mode = sslMode(text)
  if (mode === undefined) return usable(text)
  // pg knows no second attempt, which is what these two mean.
  if (mode === 'allow' || mode === 'prefer') {
    return (await refusesSsl(usable(text, 'prefer'))) ? usable(text, 'disable') : usable(text, 'prefer')
  }
  return usable(text, mode)
}

/** What is overlooked here would not be encrypted. Other parameters may be meant for another program. */
function refuseMisspelt(text: string): void {
  for (const name of parsed(text).searchParams.keys()) {
    if (!/^ssl/i.test(name) || SSL_PARAMETERS.includes(name)) continue
    throw invalid(
      `the PostgreSQL URL has an unknown parameter${didYouMean(name, SSL_PARAMETERS)}`,
      'see the parameters of libpq in the manual of PostgreSQL',
    )
  }
}

function sslMode(text: string): string | undefined {
  const mode = parsed(text).searchParams.get('sslmode') ?? process.env.PGSSLMODE
  if (!mode) return undefined
  if (SSL_MODES.includes(mode)) return mode
  throw invalid(`there is no sslmode ${mode}`, `it is one of ${SSL_MODES.join(', ')}`)
}

/**
 * Returns where the URL leads, as libpq would go there: parameters, PG* variables and defaults count. A directory in
 * place of the host holds a Unix socket.
 */
export function databaseIdentity(connectionString: string): string {
  const { host, port, database } = new pg.Client({ connectionString })
  return host.startsWith('/')
    ? `postgres:///${database}?host=${host}&port=${port}`
    : `postgres://${host.includes(':') ? `[${host}]` : host.toLowerCase()}:${port}/${database}`
}

/** Only to look at: a URL without a host, as for a Unix socket, is none in the eyes of the standard. */
function parsed(text: string): URL {
  try {
    const url = new URL(text.replace('@/', '@localhost/'))
    if (url.hash === '') return url
  } catch {}
  throw unreadable()
}

/** Returns the URL with what pg must be told; its last parameter of a name wins. */
function usable(text: string, mode?: string): string {
  const told = `uselibpqcompat=true${mode === undefined ? '' : `&sslmode=${mode}`}`
  const url = `${text}${text.includes('?') ? '&' : '?'}${told}`
  try {
    new pg.Client({ connectionString: url })
    return url
  } catch (error) {
    throw complaint(error)
  }
}

function complaint(error: unknown): UserError {
  if (error instanceof Error && 'path' in error) {
    return invalid(`${error.path} cannot be read`, 'see sslrootcert, sslcert and sslkey in the URL')
  }
  if (error instanceof Error && error.message.includes('verify-ca')) {
    return invalid('sslmode=verify-ca needs a certificate to verify with', 'name its file: sslrootcert=FILE')
  }
  return unreadable()
}

function unreadable(): UserError {
  return invalid(
    'the PostgreSQL URL cannot be read',
    'it looks like postgres://user@host:5432/database; special characters in it are written as %XX',
  )
}

/** Any other failure is left to the first query, which reports it. */
async function refusesSsl(url: string): Promise<boolean> {
  const sockets = trackedSockets()
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    stream: sockets.next,
  })
  try {
    await client.connect()
    await client.end()
    return false
  } catch (error) {
    return error instanceof Error && error.message.includes('does not support SSL')
  } finally {
    sockets.destroyAll()
  }
}
