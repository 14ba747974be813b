import pg from 'pg'
import pgpass from 'pgpass'
import { invalid, UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import { trackedSockets } from './sockets.ts'
import { connectMilliseconds, refuseOverlooked } from './url-parameters.ts'

/** How long a server has to answer, unless the URL says. */
const CONNECT_MILLISECONDS = 15_000

/** How to get to a database. */
export interface Connection {
  /** For pg. */
  readonly connectionString: string
  /** As `Db.identity`. */
  readonly identity: string
  readonly connectionTimeoutMillis: number
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/**
 * Returns how to connect, with libpq's meaning of `sslmode`, which PGSSLMODE may give as well: pg's own takes `require`
 * for `verify-full`. Throws a UserError when the URL cannot be used; never repeats it.
 */
export async function connectionTo(text: string): Promise<Connection> {
  const { searchParams, port } = parsed(text)
  refuseOverlooked(searchParams)
  refuseImpossiblePort(searchParams.get('port') || port)
  const connectionTimeoutMillis = connectMilliseconds(searchParams, CONNECT_MILLISECONDS)
  const url = await withStoredPassword(withSchema(text, searchParams))
  const mode = sslMode(searchParams)
  // pg knows no second attempt, which is what these two mean.
  const tries = mode === 'allow' || mode === 'prefer'
  const usual = usable(url, tries ? 'prefer' : mode)
  const isRefused = tries && (await refusesSsl(usual, connectionTimeoutMillis))
  return {
    connectionString: isRefused ? usable(url, 'disable') : usual,
    identity: databaseIdentity(usual),
    connectionTimeoutMillis,
  }
}

/** pg takes what it can of one, and when it cannot be connected to waits for ever for its own client to end. */
function refuseImpossiblePort(ofUrl: string): void {
  const text = ofUrl || process.env.PGPORT
  if (!text || (/^\d{1,5}$/.test(text.trim()) && Number(text) > 0 && Number(text) < 65_536)) return
  throw invalid(
    `${ofUrl ? 'the port in the PostgreSQL URL' : 'PGPORT'} is no port`,
    'a port is a whole number from 1 to 65535, as a rule 5432',
  )
}

/** As dj-database-url reads it (https://github.com/jazzband/dj-database-url): the site itself may have that URL. */
function withSchema(text: string, parameters: URLSearchParams): string {
  const schema = parameters.get('currentSchema')
  if (schema === null) return text
  const given = parameters.get('options') ?? process.env.PGOPTIONS
  return withParameter(text, 'options', [given, `-c search_path=${schema}`].filter(Boolean).join(' '))
}

/** pg looks into ~/.pgpass itself, and each time warns that it will not for ever. */
async function withStoredPassword(text: string): Promise<string> {
  const { password, host, port, database, user } = new pg.Client({ connectionString: usable(text) })
  if (password) return text
  const stored = await new Promise<string | undefined>((resolve) => {
    pgpass({ host, port, database, user }, resolve)
  })
  return stored === undefined ? text : withParameter(text, 'password', stored)
}

/** The last parameter of a name wins. */
function withParameter(text: string, name: string, value: string): string {
  return `${text}${text.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
}

function sslMode(parameters: URLSearchParams): string | undefined {
  const mode = parameters.get('sslmode') ?? (process.env.PGSSLMODE || undefined)
  if (mode === undefined || SSL_MODES.includes(mode)) return mode
  throw invalid('there is no such sslmode', `it is one of ${SSL_MODES.join(', ')}`)
}

/**
 * Returns where the URL leads, as libpq would go there: parameters, PG* variables and defaults count. A directory in
 * place of the host holds a Unix socket.
 */
function databaseIdentity(connectionString: string): string {
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

/** Returns the URL with what pg must be told. */
function usable(text: string, mode?: string): string {
  const told = withParameter(text, 'uselibpqcompat', 'true')
  const url = mode === undefined ? told : withParameter(told, 'sslmode', mode)
  try {
    new pg.Client({ connectionString: url })
    return url
  } catch (error) {
    throw complaint(error)
  }
}

function complaint(error: unknown): UserError {
  if (error instanceof Error && 'path' in error) {
    return new UserError(`${error.path} cannot be read: ${fileReason(error)}`, {
      hint: 'see sslrootcert, sslcert and sslkey in the URL',
    })
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
async function refusesSsl(url: string, connectionTimeoutMillis: number): Promise<boolean> {
  const sockets = trackedSockets()
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis,
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
