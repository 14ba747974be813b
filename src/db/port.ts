import type { ZlibOptions } from 'node:zlib'
import { type SQL, sql } from 'drizzle-orm'
import type { BaseSQLiteDatabase, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Dialect, LinedRows } from './dialect.ts'

/** The query builders that Drizzle's databases share. Its asynchronous SQLite type is the shape of both. */
export type Builders = Pick<BaseSQLiteDatabase<'async', unknown>, 'select' | 'insert' | 'update' | 'delete'>

export interface OpenOptions {
  /** Make the SQLite file when it is missing. */
  readonly create?: boolean
  /** How many PostgreSQL connections may work at once. */
  readonly connections?: number
  /** False: without Drizzle's query builders. To load SQLite's takes longer than all else that reads need. */
  readonly builders?: boolean
}

/** `read` sees one snapshot and cannot write; `write` holds the locks it takes until the end. */
export type TransactionMode = 'read' | 'write'

/** Lines, compressed. */
export interface PackedLines {
  /** A gzip member (RFC 1952). */
  readonly member: Uint8Array
  /** How much text it holds, in bytes. */
  readonly bytes: number
  readonly lines: number
}

/** Lines that are being read while others are deleted. */
export interface ReadingAhead {
  /** Resolves to those of each table. Rejects with ReadAgain when the transaction has to read them itself. */
  readonly packed: Promise<readonly (readonly PackedLines[])[]>
}

/** What was read ahead is not to be relied on: begin again, without. */
export class ReadAgain extends Error {
  override readonly name = 'ReadAgain'
}

/** An open database, or a transaction on it. Nothing above this port knows which database it is. */
export interface Db extends Builders {
  readonly dialect: Dialect
  /** Which database this is, to be remembered and shown: the same for every role and every link to it, and no secret. */
  readonly identity: string
  /** Runs one statement and returns its rows, undecoded: values as the driver gives them. */
  rows<T extends object>(query: SQL): Promise<T[]>
  /** Returns how many rows the table has that pass the filter. */
  $count(source: SQLiteTable, filter?: SQL): Promise<number>
  /** Runs one statement that returns no rows, such as DDL: SQLite refuses to ask it for some. */
  run(statement: SQL): Promise<void>
  /** Runs one statement and returns how many rows it changed. To return each of them would take longer than to delete it. */
  changes(statement: SQL): Promise<number>
  /** Runs the work in one transaction; commits when it returns, rolls back when it throws. Not nestable. */
  transaction<T>(mode: TransactionMode, work: (tx: Db) => Promise<T>): Promise<T>
  /** Runs work of many transactions that write. What the database can keep from one to the next, it keeps meanwhile. */
  throughManyWrites<T>(work: () => Promise<T>): Promise<T>
  /**
   * Within a transaction that keeps all others from writing, before it changes any of these rows: begins to read them in
   * another thread, which sees them as they are now, whatever the transaction does meanwhile. Returns undefined where
   * that cannot be.
   */
  readAhead(rows: readonly LinedRows[], compression: ZlibOptions): Promise<ReadingAhead | undefined>
  close(): Promise<void>
}

/** Returns the builders of a Drizzle database, bound to it, without the rest of its surface. */
export function buildersOf(drizzled: Builders): Builders {
  return {
    select: drizzled.select.bind(drizzled),
    insert: drizzled.insert.bind(drizzled),
    update: drizzled.update.bind(drizzled),
    delete: drizzled.delete.bind(drizzled),
  }
}

function none(): never {
  throw new Error('the database was opened without query builders')
}

/** For a port of which it is known that nobody asks for a builder. */
export const NO_BUILDERS: Builders = { select: none, insert: none, update: none, delete: none }

/** Returns the port's `$count` by way of its `rows`: Drizzle's own comes with all of the builders. */
export function countBy(rows: Db['rows']): Db['$count'] {
  return async (source, filter = sql`true`) => {
    const [found] = await rows<{ count: unknown }>(
      sql`select count(*) as count from ${source} where ${filter}`,
    )
    return Number(found?.count)
  }
}
