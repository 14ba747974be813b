import { explainDatabaseError } from '../db/errors.ts'
import { UserError } from '../errors.ts'

/** Returns the error in words, without SQL or values; undefined for a bug. */
export function expectedError(error: unknown, database = 'the database'): UserError | undefined {
  return error instanceof UserError ? error : explainDatabaseError(error, database)
}
