import type { SQL } from 'drizzle-orm'
import type { BaseSQLiteDatabase, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Dialect } from './dialect.ts'

/** The query builders that Drizzle's databases share. Its asynchronous SQLite type is the shape of both. */
export type Builders = Pick<
  BaseSQLiteDatabase<'async', unknown>,
  'select' | 'insert' | 'update' | 'delete'
> & {
  /** Returns how many rows the table has that pass the filter. */
  $count(source: SQLiteTable, filter?: SQL): Promise<number>
}

/** `read` sees one snapshot and cannot write; `write` holds the locks it takes until the end. */
export type TransactionMode = 'read' | 'write'

/** An open database, or a transaction on it. Nothing above this port knows which database it is. */
export interface Db extends Builders {
  readonly dialect: Dialect
  /** Runs one statement and returns its rows, undecoded: values as the driver gives them. */
  rows<T extends object>(query: SQL): Promise<T[]>
  /** Runs one statement that returns no rows, such as DDL: SQLite refuses to ask it for some. */
  run(statement: SQL): Promise<void>
  /** Runs one statement and returns how many rows it changed. To return each of them would take longer than to delete it. */
  changes(statement: SQL): Promise<number>
  /** Runs the work in one transaction; commits when it returns, rolls back when it throws. Not nestable. */
  transaction<T>(mode: TransactionMode, work: (tx: Db) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Returns the builders of a Drizzle database, bound to it, without the rest of its surface. */
export function buildersOf(drizzled: Builders): Builders {
  return {
    select: drizzled.select.bind(drizzled),
    insert: drizzled.insert.bind(drizzled),
    update: drizzled.update.bind(drizzled),
    delete: drizzled.delete.bind(drizzled),
    // A driver that gives integers as BigInt would give this one so as well.
    $count: async (source, filter) => Number(await drizzled.$count(source, filter)),
  }
}
