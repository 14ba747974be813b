import { type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type Sqlite from 'better-sqlite3'

/**
 * Runs work of many transactions, with one rollback journal that stays from one to the next: to remove it and to make it
 * anew takes a tenth of their time. `path` is that of the database, without symbolic links. See https://sqlite.org/pragma.html#pragma_journal_mode.
 */
export async function keepingJournal<T>(
  connection: Sqlite.Database,
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!mayKeepJournal(connection, path)) return work()
  connection.pragma('journal_mode = persist')
  try {
    return await work()
  } finally {
    removeJournal(connection)
  }
}

/** When that cannot be, it is in nobody's way: it holds nothing, and whoever writes next removes it. */
function removeJournal(connection: Sqlite.Database): void {
  try {
    connection.pragma('journal_mode = delete')
  } catch {}
}

function mayKeepJournal(connection: Sqlite.Database, path: string): boolean {
  // A database in memory or in WAL mode has none; the latter would change for everybody.
  if (connection.memory || connection.pragma('journal_mode', { simple: true }) !== 'delete') return false
  return isOwnersAlone(statSync(path), statSync(dirname(path)), {
    user: process.geteuid?.(),
    group: process.getegid?.(),
  })
}

/**
 * True when a file that this process makes beside the database belongs to the same user and group. As long as there is a
 * journal that somebody may not open, they can neither write nor read.
 */
export function isOwnersAlone(
  database: Pick<Stats, 'uid' | 'gid'>,
  directory: Pick<Stats, 'gid'>,
  process: { readonly user: number | undefined; readonly group: number | undefined },
): boolean {
  // Of a new file, the group is that of the process or that of the directory.
  return [
    database.uid === process.user,
    database.gid === process.group,
    database.gid === directory.gid,
  ].every(Boolean)
}
