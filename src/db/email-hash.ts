import type { SQL } from 'drizzle-orm'
import type { Dialect } from './dialect.ts'

/** Returns the SHA-256 of an address, without its case, as the ledger keeps it. */
export function emailHash(dialect: Dialect, email: SQL): SQL {
  return dialect.sha256(dialect.foldCase(email))
}
