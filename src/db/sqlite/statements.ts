import type Sqlite from 'better-sqlite3'
import type { SQL } from 'drizzle-orm'
import { statementText } from './statement-text.ts'

/** More than any command asks over and over; a command that asks ever new ones must not fill the memory with them. */
const MOST = 100

/** A statement with the values for its parameters. */
export interface Bound {
  readonly statement: Sqlite.Statement
  readonly values: readonly unknown[]
}

/** The text of a statement, with the values for its parameters. */
export interface Written {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** Compiles each statement once, however often it runs: to compile one takes as long as many take to run. */
export class Statements {
  private readonly connection: Sqlite.Database
  private readonly compiled = new Map<string, Sqlite.Statement>()

  constructor(connection: Sqlite.Database) {
    this.connection = connection
  }

  /** Throws SQLite's error when the statement cannot be. */
  bound(query: SQL): Bound {
    const { sql, values } = this.written(query)
    return { statement: this.compiled.get(sql) ?? this.compile(sql), values }
  }

  written(query: SQL): Written {
    const { sql, params } = statementText(query)
    return { sql, values: params }
  }

  private compile(sql: string): Sqlite.Statement {
    const statement = this.connection.prepare(sql)
    if (this.compiled.size >= MOST) this.compiled.clear()
    this.compiled.set(sql, statement)
    return statement
  }
}
