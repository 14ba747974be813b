import { realpathSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { SQL } from 'drizzle-orm'
import { UserError } from '../../errors.ts'
import { pause } from '../../pause.ts'
import { TransactionEnded } from '../errors.ts'
import {
  type Builders,
  countBy,
  type Db,
  NO_BUILDERS,
  type OpenOptions,
  type TransactionMode,
} from '../port.ts'
import { sqliteDialect } from './dialect.ts'
import { registerFunctions } from './functions.ts'
import { keepingJournal } from './kept-journal.ts'
import type { LineReader } from './line-reader.ts'
import { lineTexts } from './lines.ts'
import { Statements } from './statements.ts'

/** How long a statement waits for another process to let go of the file. */
const BUSY_MILLISECONDS = 10_000
/** How often a transaction that waits for the file looks again. */
const LOOK_AGAIN_MILLISECONDS = 20

/** So many users' rows the other thread reads at a time. */
const USERS_READ_AHEAD = 2_500

/**
 * Another process that waits for the file looks again every 100 ms at worst. One that writes transaction after
 * transaction would starve it, so it stops for longer than that, so often that who waits for five seconds, as Django
 * does, and misses it once meets it again.
 */
const TURN_MILLISECONDS = 2_000
const GAP_MILLISECONDS = 150

/** Opens a SQLite file. Integers arrive as BigInt, so that no key is ever rounded. */
export async function openSqlite(
  path: string,
  { create = false, builders = true }: OpenOptions,
): Promise<Db> {
  refuseUnusable(path, create)
  const connection = new Sqlite(path, { fileMustExist: !create, timeout: BUSY_MILLISECONDS })
  connection.defaultSafeIntegers(true)
  registerFunctions(connection)
  return portOf(builders ? await buildersFor(connection) : NO_BUILDERS, connection)
}

async function buildersFor(connection: Sqlite.Database): Promise<Builders> {
  const { sqliteBuilders } = await import('./builders.ts')
  return sqliteBuilders(connection)
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

/** Returns the path itself when nothing is there: SQLite makes the file when something is written. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function portOf(builders: Builders, connection: Sqlite.Database): Db {
  const turns = new Turns()
  const statements = new Statements(connection)
  let reader: LineReader | undefined
  // One connection, so a transaction is the same port: everything between begin and commit belongs to it.
  const bound = (query: SQL) => {
    refuseAfterItsEnd(connection)
    return statements.bound(query)
  }
  const rows = async <T>(query: SQL) => {
    const { statement, values } = bound(query)
    return statement.all(...values) as T[]
  }
  const port: Db = {
    ...builders,
    dialect: sqliteDialect,
    get identity() {
      return realPath(connection.name)
    },
    rows,
    $count: countBy(rows),
    run: async (query) => {
      const { statement, values } = bound(query)
      statement.run(...values)
    },
    changes: async (query) => {
      const { statement, values } = bound(query)
      return statement.run(...values).changes
    },
    transaction: <T>(mode: TransactionMode, work: (tx: Db) => Promise<T>) =>
      mode === 'write'
        ? turns.take(() => inTransaction(port, connection, mode, work))
        : inTransaction(port, connection, mode, work),
    throughManyWrites: (work) => keepingJournal(connection, statOf(connection.name), work),
    readAhead: async (wanted, compression) => {
      if (connection.memory) return undefined
      reader ??= new (await import('./line-reader.ts')).LineReader(connection.name)
      const tables = wanted.map((of) =>
        lineTexts(of, USERS_READ_AHEAD).map((text) => statements.written(text)),
      )
      return reader.read({ tables, compression })
    },
    close: async () => {
      await reader?.close()
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
  if (mode === 'write') await beginWriting(connection)
  else connection.exec('pragma query_only = on; begin')
  within.add(connection)
  try {
    const result = await work(port)
    connection.exec('commit')
    return result
  } catch (error) {
    if (connection.inTransaction) connection.exec('rollback')
    throw error
  } finally {
    within.delete(connection)
    if (mode === 'read' && connection.open) connection.exec('pragma query_only = off')
  }
}

/** Connections whose transaction has begun, and been neither committed nor rolled back by us. */
const within = new WeakSet<Sqlite.Database>()

/** Throws when SQLite has ended the transaction that a statement would belong to. */
function refuseAfterItsEnd(connection: Sqlite.Database): void {
  if (within.has(connection) && !connection.inTransaction) {
    throw new TransactionEnded('SQLite has ended the transaction')
  }
}

/** Waits as long as any statement does, but not inside SQLite: nothing else would run meanwhile, not even Ctrl-C. */
async function beginWriting(connection: Sqlite.Database): Promise<void> {
  const patience = Number(connection.pragma('busy_timeout', { simple: true }))
  const end = Date.now() + patience
  connection.pragma('busy_timeout = 0')
  try {
    while (!beginsAtOnce(connection, Date.now() >= end)) await pause(LOOK_AGAIN_MILLISECONDS)
  } finally {
    connection.pragma(`busy_timeout = ${patience}`)
  }
}

function beginsAtOnce(connection: Sqlite.Database, isLast: boolean): boolean {
  try {
    connection.exec('begin immediate')
    return true
  } catch (error) {
    if (isLast || !(error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY'))) throw error
    return false
  }
}

/** Lets other processes write now and then. */
class Turns {
  private began = 0
  private ended = 0

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (Date.now() - this.ended > GAP_MILLISECONDS) this.began = Date.now()
    if (Date.now() - this.began > TURN_MILLISECONDS) {
      await pause(GAP_MILLISECONDS)
      this.began = Date.now()
    }
    try {
      return await work()
    } finally {
      this.ended = Date.now()
    }
  }
}
