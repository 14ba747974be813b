import type { Stats } from 'node:fs'
import type Sqlite from 'better-sqlite3'

/**
 * Runs work of many transactions, with one rollback journal that stays from one to the next: to remove it and to make it
 * anew takes time. `file` is that of the database. See https://sqlite.org/pragma.html#pragma_journal_mode.
 */
export async function keepingJournal<T>(
  connection: Sqlite.Database,
  file: Stats | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!mayKeepJournal(connection, file)) return work()
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
    // Unless the site has gone over to WAL meanwhile.
    if (modeOf(connection) === 'persist') connection.pragma('journal_mode = delete')
  } catch {}
}

function mayKeepJournal(connection: Sqlite.Database, file: Stats | undefined): boolean {
  // A database in memory or in WAL mode has another; the latter would change for everybody.
  return modeOf(connection) === 'delete' && file !== undefined && isOneUsers(file, process.geteuid?.())
}

function modeOf(connection: Sqlite.Database): unknown {
  return connection.pragma('journal_mode', { simple: true })
}

/**
 * True when the database is this user's and nobody else may write to it, and when all others may read it or none. SQLite
 * gives the journal the same mode, but neither the group nor the access control list (whose mask are the bits of the
 * group); and who may not open a journal that is there can neither write nor read.
 */
export function isOneUsers({ uid, mode }: Pick<Stats, 'uid' | 'mode'>, user: number | undefined): boolean {
  const [group, others] = [(mode >> 3) & 0o7, mode & 0o7]
  return uid === user && group === others && (group & 0o2) === 0
}
