import { UserError } from '../errors.ts'
import type { ForeignKey } from './catalog.ts'
import { type DriverError, LOST, NO_ANSWER, TAKEN, TOO_SLOW, wordsFor } from './error-words.ts'

/** What a database error means, for those who must decide and not only report. */
export type DatabaseFault =
  | 'connection' // no session can be had, or the server went away
  | 'retry' // serialization failure or deadlock: the same work may succeed
  | 'busy' // a lock or statement timeout, or too much for one statement: less work at once may succeed
  | 'locked' // the whole database is locked by another process
  | 'storage' // nothing can be written, or read: no room, a read-only database, a disk that fails
  | 'constraint' // a foreign key, unique, check or not-null constraint, a type, or a trigger's refusal
  | 'other'

/** A trigger of the database has kept a row, without an error of its own. */
export class KeptByTrigger extends Error {
  readonly code = 'P0001'
}

/** Foreign keys of the database have deleted or changed rows that nobody had found before. */
export class MoreChanged extends UserError {
  readonly code = '23000'

  constructor() {
    super('the database would delete or change more rows than could be archived')
  }
}

/**
 * SQLite has ended the transaction by itself, with what it refused (RAISE(ROLLBACK), ON CONFLICT ROLLBACK): whatever came
 * now would not be taken back with the rest. No cause, for it is more than the refusal of a row.
 */
export class TransactionEnded extends Error {
  override readonly name = 'TransactionEnded'
}

/** More than can be handled in one piece; less at once may be possible. */
export class TooMuchAtOnce extends Error {
  readonly code = '54000'
}

/** A row refers to one that is not there, where the database has let it be or looks only later. */
export class BrokenReference extends UserError {
  readonly code = '23503'

  constructor({ table, columns, references }: ForeignKey) {
    super(
      `could not be put back: ${table.label}.${columns.join(', ')} refers to a row of ${references.label} that is not there`,
    )
  }
}

const CONNECTION_CODES =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|08...|28...|3D000|53300|25P03|57P0[1-5])$/

const STORAGE_CODES =
  /^(25006|53[0124]00|58...|XX00[12]|SQLITE_(CANTOPEN|CORRUPT|FULL|IOERR|NOMEM|NOTADB|PERM|READONLY).*)$/

/** Returns the driver's own error: Drizzle wraps it in one whose message holds SQL and parameters. */
function driverError(error: unknown): DriverError | undefined {
  let current = error
  // Where pg has given up itself, the end of the connection is only what came of it.
  while (current instanceof Error && current.cause instanceof Error && !NO_ANSWER.test(current.message)) {
    current = current.cause
  }
  // Node tries every address of a host name and collects the refusals.
  if (current instanceof AggregateError && current.errors[0] instanceof Error) return current.errors[0]
  return current instanceof Error ? current : undefined
}

/** True when a database has thrown the error, or one that it wraps: Drizzle's, pg's or better-sqlite3's. */
export function isDatabaseError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (
    'query' in error || 'severity' in error || error.name === 'SqliteError' || isDatabaseError(error.cause)
  )
}

/** Returns what kind of fault a database error is. */
export function databaseFault(error: unknown): DatabaseFault {
  const { code = '', message = '', syscall } = driverError(error) ?? {}
  if (CONNECTION_CODES.test(code) || LOST.test(message) || TOO_SLOW.test(message)) return 'connection'
  // A socket that is not there; any other missing file is not the database's.
  if (code === 'ENOENT' && syscall === 'connect') return 'connection'
  if (code === '40001' || code === '40P01') return 'retry'
  if (/^(55P03|57014|54000|SQLITE_TOOBIG|ERR_STRING_TOO_LONG)$/.test(code)) return 'busy'
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'locked'
  if (STORAGE_CODES.test(code)) return 'storage'
  if (/^(23|P0001|SQLITE_(CONSTRAINT|MISMATCH))/.test(code)) return 'constraint'
  return 'other'
}

/** True when rows have been refused, by the database or by us: others may fare better. */
export function isRefusal(error: unknown): boolean {
  const fault = databaseFault(error)
  if (fault === 'constraint' || fault === 'busy') return true
  return fault === 'other' && (isDatabaseError(error) || error instanceof UserError)
}

/**
 * Returns the error in words for an administrator, or undefined when it is none of the database's.
 * Never repeats SQL, parameters or values: those hold people's addresses.
 */
export function explainDatabaseError(error: unknown, target: string): UserError | undefined {
  // One that is in words already may have a database error as its cause.
  const cause = error instanceof UserError ? undefined : driverError(error)
  if (!cause || cause instanceof UserError) return undefined
  const [message, hint] = wordsFor(cause, target) ?? []
  return message === undefined ? undefined : new UserError(message, { hint, cause: error })
}

/** True when a row has a key or a unique value that another row has already. */
export function isTaken(error: unknown): boolean {
  return TAKEN.test(driverError(error)?.code ?? '')
}

/** Returns why a row could not be changed, naming table and constraint but no value. */
export function shortReason(error: unknown): string {
  if (error instanceof UserError) return error.message
  const cause = driverError(error)
  return (cause && wordsFor(cause, 'the database')?.[0]) ?? 'the database refused it'
}

/** Returns why a batch was refused as a whole. Throws what is no refusal at all. */
export function batchRefusalReason(error: unknown): string {
  return error instanceof TransactionEnded ? error.message : refusalReason(error)
}

/** Returns `shortReason` of an error that `isRefusal`. Throws any other. */
export function refusalReason(error: unknown): string {
  if (!isRefusal(error)) throw error
  return shortReason(error)
}
