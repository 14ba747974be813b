import type Sqlite from 'better-sqlite3'

/**
 * Keeps the rollback journal from one transaction to the next: to make the file and to remove it takes a sixth of a
 * commit. Whoever else writes meanwhile removes it, as always. A process that is killed leaves it behind: void after a
 * commit, and within one what the next process needs to take it back (https://sqlite.org/pragma.html#pragma_journal_mode).
 */
export class KeptJournal {
  private readonly connection: Sqlite.Database
  private transactions = 0
  private isKept = false

  constructor(connection: Sqlite.Database) {
    this.connection = connection
  }

  /** Before each transaction that writes; a single one is not worth it. */
  beforeWriting(): void {
    this.transactions += 1
    if (this.transactions !== 2 || this.connection.pragma('journal_mode', { simple: true }) !== 'delete')
      return
    this.connection.pragma('journal_mode = persist')
    this.isKept = true
  }

  /** Removes it. */
  end(): void {
    if (this.isKept) this.connection.pragma('journal_mode = delete')
    this.isKept = false
  }
}
