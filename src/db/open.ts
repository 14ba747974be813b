import type { Db, OpenOptions } from './port.ts'
import { openSqlite } from './sqlite/open.ts'
import type { DatabaseTarget } from './url.ts'

/** Opens the database. Throws a UserError when there is nothing that can be opened. */
export async function openDatabase(target: DatabaseTarget, options: OpenOptions = {}): Promise<Db> {
  if (target.kind === 'sqlite') return openSqlite(target.path, options)
  // Its driver is large; SQLite's is hardly more than its binary, which is loaded when a file is opened.
  const { openPostgres } = await import('./postgres/open.ts')
  return openPostgres(target.url, options)
}
