import { invalid, type UserError } from '../../errors.ts'
import { didYouMean } from '../../suggest.ts'

/** What counts: of libpq (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS), and of pg. */
const KNOWN = [
  'host',
  'port',
  'user',
  'password',
  'options',
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'connect_timeout',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
  'sslmode',
  'sslnegotiation',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslrootcert',
  'ssl',
  'currentSchema',
]

/** Those of libpq that change nothing in which database is reached, nor in whether it is the right one. */
const WITHOUT_EFFECT = [
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'gsslib',
  'gssdelegation',
  'krbsrvname',
  'sslcompression',
  'sslsni',
  'ssl_max_protocol_version',
  'max_protocol_version',
]

/** Those of libpq that ask for nothing with such a value: there is one host, which takes writes or refuses them. */
const ASKING_NOTHING: ReadonlyMap<string, RegExp> = new Map([
  ['channel_binding', /^(prefer|disable)$/],
  ['target_session_attrs', /^(any|read-write|primary|prefer-standby)$/],
  ['load_balance_hosts', /^disable$/],
  ['gssencmode', /^(prefer|disable)$/],
  ['sslcertmode', /^(allow|disable)$/],
  // Node speaks nothing older than TLS 1.2, and pg no older protocol.
  ['ssl_min_protocol_version', /^TLSv1(\.[12])?$/i],
  ['min_protocol_version', /^3\.0$/],
])

/** What Django's URL packages take from the site's own DATABASE_URL, and do not hand on to PostgreSQL. */
const DJANGO =
  /^(conn_max_age|conn_health_checks|atomic_requests|autocommit|disable_server_side_cursors|engine|test)$/i

/** Of libpq, and not of pg: whoever gives them means something by it. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  dbname: 'the name goes behind the host: postgres://user@host/name',
  service: 'give host and name in the URL',
  servicefile: 'give host and name in the URL',
  hostaddr: 'give the address as the host',
  passfile: 'name the file in PGPASSFILE',
  requirepeer: 'leave it away',
  require_auth: 'leave it away',
  channel_binding: 'leave it away, or say prefer; sslmode=verify-full makes sure of the server',
  target_session_attrs: 'name the host of the primary server',
  load_balance_hosts: 'name one host',
  gssencmode: 'leave it away, or say prefer; sslmode=require encrypts',
  sslcertmode: 'leave it away',
  sslcrl: 'leave it away; sslmode=verify-full makes sure of the server',
  sslcrldir: 'leave it away; sslmode=verify-full makes sure of the server',
  ssl_min_protocol_version: 'leave it away, or say TLSv1.2: there is nothing older',
  min_protocol_version: 'leave it away',
  replication: 'leave it away',
}

/** What other drivers call it, or somebody may hope for. */
const SCHEMA = /^(current_?schemas?|schemas?|search_?path)$/i

/**
 * Throws a UserError (invalid) for a parameter that would be overlooked: it may lead to another schema, or say that the
 * connection is to be encrypted. Never repeats what the URL says, which may hold a password.
 */
export function refuseOverlooked(parameters: URLSearchParams): void {
  const names = new Set<string>()
  for (const [name, value] of parameters) {
    if (names.has(name)) throw twice(name)
    names.add(name)
    if (KNOWN.includes(name) || WITHOUT_EFFECT.includes(name) || DJANGO.test(name)) continue
    if (ASKING_NOTHING.get(name)?.test(value)) continue
    throw overlooked(name)
  }
}

/** Drivers do not agree on which one counts. */
function twice(name: string): UserError {
  return invalid(
    `the PostgreSQL URL has ${KNOWN.includes(name) ? `the parameter ${name}` : 'a parameter'} twice`,
    'give each of them once',
  )
}

function overlooked(name: string): UserError {
  const instead = Object.hasOwn(UNSUPPORTED, name) ? UNSUPPORTED[name] : undefined
  if (instead !== undefined)
    return invalid(`the parameter ${name} of a PostgreSQL URL is not supported`, instead)
  return invalid(
    `the PostgreSQL URL has an unknown parameter${didYouMean(name, KNOWN)}`,
    SCHEMA.test(name)
      ? 'a schema is chosen with ?options=-c%20search_path%3DNAME'
      : 'see the parameters of libpq in the manual of PostgreSQL',
  )
}

/** Returns how long a server has to answer, in milliseconds; 0 for ever. Throws a UserError (invalid) for no number. */
export function connectMilliseconds(parameters: URLSearchParams, usual: number): number {
  const text = parameters.get('connect_timeout') ?? process.env.PGCONNECT_TIMEOUT
  if (text === undefined || text === '') return usual
  if (/^-?\d{1,6}$/.test(text.trim())) return Math.max(0, Number(text)) * 1000
  throw invalid('connect_timeout is a number of seconds', 'for example connect_timeout=10; 0 waits for ever')
}
