import { UserError } from '../errors.ts'

interface DriverError extends Error {
  readonly code?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
}

/** What a database error means, for those who must decide and not only report. */
export type DatabaseFault =
  | 'connection' // the server is not there, or went away
  | 'retry' // serialization failure or deadlock: the same work may succeed
  | 'busy' // a lock or statement timeout
  | 'constraint' // a foreign key, unique, check or not-null constraint, or a trigger's refusal
  | 'other'

const CONNECTION_CODES =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|ENOENT|08...|57P0[123])$/

const LOST =
  /Connection terminated|connection timeout|Client has encountered a connection error|not queryable/i

/** Returns the driver's own error: Drizzle wraps it in one whose message holds SQL and parameters. */
function driverError(error: unknown): DriverError | undefined {
  let current = error
  while (current instanceof Error && current.cause instanceof Error) current = current.cause
  // Node tries every address of a host name and collects the refusals.
  if (current instanceof AggregateError && current.errors[0] instanceof Error) return current.errors[0]
  return current instanceof Error ? current : undefined
}

/** Returns what kind of fault a database error is. */
export function databaseFault(error: unknown): DatabaseFault {
  const { code = '', message = '' } = driverError(error) ?? {}
  if (CONNECTION_CODES.test(code) || LOST.test(message)) return 'connection'
  if (code === '40001' || code === '40P01') return 'retry'
  if (code === '55P03' || code === '57014' || code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED')
    return 'busy'
  if (code.startsWith('23') || code === 'P0001' || code.startsWith('SQLITE_CONSTRAINT')) return 'constraint'
  return 'other'
}

/**
 * Returns the error in words for an administrator, or undefined when it is none of the database's.
 * Never repeats SQL, parameters or values: those hold people's addresses.
 */
export function explainDatabaseError(error: unknown, target: string): UserError | undefined {
  const cause = driverError(error)
  if (!cause || cause instanceof UserError) return undefined
  const [message, hint] = wordsFor(cause, target) ?? []
  return message === undefined ? undefined : new UserError(message, { hint, cause: error })
}

/** Returns why a row could not be changed, naming table and constraint but no value. */
export function shortReason(error: unknown): string {
  const cause = driverError(error)
  return (cause && wordsFor(cause, 'the database')?.[0]) ?? 'the database refused it'
}

type Words = readonly [message: string, hint?: string]

function wordsFor(error: DriverError, target: string): Words | undefined {
  const { code = '', message } = error
  if (LOST.test(message))
    return [
      `the connection to ${target} was lost`,
      'see whether the server is up, then run the command again',
    ]
  const exact = WORDS[code]
  if (exact) return exact(error, target)
  const family = Object.keys(FAMILIES).find((prefix) => code.startsWith(prefix))
  return family === undefined ? undefined : FAMILIES[family]?.(error, target)
}

const WORDS: Record<string, (error: DriverError, target: string) => Words> = {
  ECONNREFUSED: (_, target) => [
    `nothing answers at ${target}`,
    'see whether the server runs, and the host and port of the URL',
  ],
  ENOENT: (_, target) => [
    `nothing answers at ${target}`,
    'see whether the server runs, and the socket directory of the URL',
  ],
  ENOTFOUND: (_, target) => [`the host of ${target} has no address`, 'see the host name of the URL'],
  EAI_AGAIN: (_, target) => [`the host of ${target} has no address`, 'see the host name of the URL'],
  '28P01': (_, target) => [`wrong password for ${target}`, 'give it in ~/.pgpass or PGPASSWORD'],
  '28000': (_, target) => [
    `${target} does not accept this role from here`,
    'see the role, and pg_hba.conf on the server',
  ],
  '3D000': (_, target) => [`there is no database ${target}`, 'see the name at the end of the URL'],
  '42501': (error) => [
    `permission denied${permission(error.message)}`,
    'the README lists what each command needs: GRANT that to the role',
  ],
  '42P01': (error) => [`a table is missing${missing(error.message)}`, 'see the search_path of the URL'],
  '42703': (error) => [`a column is missing${missing(error.message)}`],
  '25006': () => ['the database is read-only', 'point at the primary, or use a role that may write'],
  '55P03': () => [
    'another transaction holds a lock for too long',
    'run the command again when the site is calmer',
  ],
  '57014': () => [
    'the server ended a statement that took too long',
    'raise statement_timeout for this role, or lower --batch-size',
  ],
  '53300': (_, target) => [`${target} has no free connection`, 'lower --jobs, or try again later'],
  SQLITE_NOTADB: (_, target) => [`${target} is not a SQLite database`],
  SQLITE_CORRUPT: (_, target) => [`${target} is damaged`, 'see: sqlite3 FILE "pragma integrity_check"'],
  SQLITE_CANTOPEN: (_, target) => [
    `${target} cannot be opened`,
    'see who may read the file and its directory',
  ],
  SQLITE_READONLY: (_, target) => [`${target} is read-only`, 'see who may write the file and its directory'],
  SQLITE_FULL: () => ['the disk is full'],
}

const FAMILIES: Record<string, (error: DriverError, target: string) => Words> = {
  SQLITE_BUSY: (_, target) => [
    `${target} is locked by another process`,
    'run the command again when the other one has finished',
  ],
  SQLITE_LOCKED: (_, target) => [
    `${target} is locked by another process`,
    'run the command again when the other one has finished',
  ],
  SQLITE_READONLY: (_, target) => [`${target} is read-only`, 'see who may write the file and its directory'],
  SQLITE_CANTOPEN: (_, target) => [
    `${target} cannot be opened`,
    'see who may read the file and its directory',
  ],
  SQLITE_CONSTRAINT_FOREIGNKEY: () => ['another row still refers to it (foreign key)'],
  SQLITE_CONSTRAINT: (error) => [`the database refused it: ${error.message.replace(/[^\w .:_-]/g, '')}`],
  SQLITE_IOERR: (_, target) => [`${target} cannot be read or written (I/O error)`],
  '23503': (error) => [
    `another row still refers to it (${error.table ?? 'a table'}, ${error.constraint ?? 'foreign key'})`,
  ],
  '23': (error) => [
    `a constraint forbids it (${[error.table, error.constraint ?? error.column].filter(Boolean).join(', ')})`,
  ],
  P0001: () => ['a trigger of the database refused it'],
  '40': () => ['another transaction got in the way', 'run the command again'],
  '08': (_, target) => [
    `the connection to ${target} was lost`,
    'see whether the server is up, then run the command again',
  ],
  '57P': (_, target) => [
    `the server of ${target} is shutting down or starting`,
    'run the command again when it is up',
  ],
  EC: (_, target) => [
    `the connection to ${target} was lost`,
    'see whether the server is up, then run the command again',
  ],
  ETIMEDOUT: (_, target) => [
    `${target} does not answer`,
    'see the host and port of the URL, and the firewall',
  ],
  EHOSTUNREACH: (_, target) => [`${target} cannot be reached`, 'see the host and port of the URL'],
  EPIPE: (_, target) => [
    `the connection to ${target} was lost`,
    'see whether the server is up, then run the command again',
  ],
}

function permission(message: string): string {
  const found = /for (?:table|relation|schema|database|sequence) \S+/.exec(message)
  return found ? ` ${found[0]}` : ''
}

function missing(message: string): string {
  const found = /(?:relation|column) ("?[\w."]+"?)/.exec(message)
  return found?.[1] ? `: ${found[1].replaceAll('"', '')}` : ''
}
