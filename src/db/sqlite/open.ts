import { type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { SQL } from 'drizzle-orm'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { UserError } from '../../errors.ts'
import type { OpenOptions } from '../open.ts'
import { type Builders, buildersOf, type Db, type TransactionMode } from '../port.ts'
import { FOLD_CASE, sqliteDialect } from './dialect.ts'

/** How long a statement waits for another process to let go of the file. */
const BUSY_MILLISECONDS = 10_000

/** Opens a SQLite file. Integers arrive as BigInt, so that no key is ever rounded. */
export function openSqlite(path: string, { create = false }: OpenOptions): Db {
  refuseUnusable(path, create)
  const connection = new Sqlite(path, { fileMustExist: !create, timeout: BUSY_MILLISECONDS })
  connection.defaultSafeIntegers(true)
  connection.function(FOLD_CASE, { deterministic: true }, (text) =>
    typeof text === 'string' ? text.toLowerCase() : text,
  )
  return portOf(drizzle(connection), connection)
}

function refuseUnusable(path: string, create: boolean): void {
  const found = statOf(path)
  if (found?.isDirectory()) {
    throw new UserError(`${path} is a directory, not a SQLite database`, { hint: 'name the file inside it' })
  }
  if (!found && !create) {
    throw new UserError(`there is no database file at ${path}`, {
      hint: 'name one with --database or USERMGMT_DATABASE_URL, or create it with: usermgmt migrate',
    })
  }
  if (!found && !statOf(dirname(path))) {
    throw new UserError(`there is no directory ${dirname(path)}`, { hint: 'create it first' })
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    const hint = 'see whether every part of the path is a directory that may be entered'
    throw new UserError(`${path} cannot be reached`, { hint, cause })
  }
}

function portOf(drizzled: BetterSQLite3Database, connection: Sqlite.Database): Db {
  // One connection, so a transaction is the same port: everything between begin and commit belongs to it.
  const port: Db = {
    ...buildersOf(drizzled as unknown as Builders),
    dialect: sqliteDialect,
    rows: async <T>(query: SQL) => drizzled.all<T>(query),
    run: async (statement) => {
      drizzled.run(statement)
    },
    transaction: <T>(mode: TransactionMode, work: (tx: Db) => Promise<T>) =>
      inTransaction(port, connection, mode, work),
    close: async () => {
      connection.close()
    },
  }
  return port
}

/** Never better-sqlite3's own `transaction`: it takes an async body, commits early, and the body runs on outside. */
async function inTransaction<T>(
  port: Db,
  connection: Sqlite.Database,
  mode: TransactionMode,
  work: (tx: Db) => Promise<T>,
): Promise<T> {
  if (connection.inTransaction) throw new Error('one transaction at a time: the connection is in one already')
  connection.exec(mode === 'write' ? 'begin immediate' : 'pragma query_only = on; begin')
  try {
    const result = await work(port)
    connection.exec('commit')
    return result
  } catch (error) {
    if (connection.inTransaction) connection.exec('rollback')
    throw error
  } finally {
    if (mode === 'read' && connection.open) connection.exec('pragma query_only = off')
  }
}
