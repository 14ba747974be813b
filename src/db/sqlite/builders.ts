import type Sqlite from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { type Builders, buildersOf } from '../port.ts'

/** Returns Drizzle's query builders on the connection. */
export function sqliteBuilders(connection: Sqlite.Database): Builders {
  return buildersOf(drizzle(connection) as unknown as Builders)
}
