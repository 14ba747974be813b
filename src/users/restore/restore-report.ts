import type { Stop } from '../../stop.ts'
import { countUp } from '../../values/counts.ts'
import type { DeletedLine } from '../archive/lines.ts'
import type { ArchiveExtent } from '../archive/reader.ts'

/** What could not be put back, and why. */
export interface RestoreFailure {
  /** The user to whom it belongs, by id, when the archive tells. */
  readonly user: string | undefined
  readonly table: string
  readonly reason: string
}

/** What is worth knowing of a user who is back, or who shares rows with one. */
export interface RestoreNote {
  readonly user: string
  readonly note: string
}

export interface RestoreReport extends ArchiveExtent {
  /** Table → rows put back. */
  readonly restored: Readonly<Record<string, number>>
  /** `table` → rows whose references were put back. */
  readonly relinked: Readonly<Record<string, number>>
  /** Rows that are there already. */
  readonly skipped: number
  /** Those of them that are not as they were. */
  readonly changed: number
  readonly failed: readonly RestoreFailure[]
  readonly notes: readonly RestoreNote[]
  /** Stopped before its end. */
  readonly stopped?: Stop | undefined
}

/** Returns how many rows have been put back. */
export function rowsPutBack({ restored }: RestoreReport): number {
  return Object.values(restored).reduce((sum, number) => sum + number, 0)
}

/** True when rows of the table have been put back, or what they referred to. */
export function isWritten({ restored, relinked }: RestoreReport, table: string): boolean {
  return table in restored || table in relinked
}

/** Counts while rows are put back: one for each transaction, added to the total when it has been committed. */
export class RestoreTally {
  /** The rows put back in this transaction. */
  readonly rows: DeletedLine[] = []
  private readonly restored = new Map<string, number>()
  private readonly relinked = new Map<string, number>()
  private readonly failed: RestoreFailure[] = []
  private readonly notes: RestoreNote[] = []
  private skipped = 0
  private changed = 0

  putBack(table: string, rows: readonly DeletedLine[]): void {
    countUp(this.restored, table, rows.length)
    for (const row of rows) this.rows.push(row)
  }

  relink(table: string): void {
    countUp(this.relinked, table, 1)
  }

  skip(isChanged = false): void {
    this.skipped += 1
    if (isChanged) this.changed += 1
  }

  fail(failure: RestoreFailure): void {
    this.failed.push(failure)
  }

  note(note: RestoreNote): void {
    this.notes.push(note)
  }

  add({ restored, relinked, skipped, changed, failed, notes }: RestoreTally): void {
    for (const [table, rows] of restored) countUp(this.restored, table, rows)
    for (const [table, rows] of relinked) countUp(this.relinked, table, rows)
    this.skipped += skipped
    this.changed += changed
    for (const failure of failed) this.failed.push(failure)
    for (const note of notes) this.notes.push(note)
  }

  report({ batches, end }: ArchiveExtent, stopped: Stop | undefined): RestoreReport {
    const { restored, relinked, skipped, changed, failed, notes } = this
    return {
      restored: Object.fromEntries(restored),
      relinked: Object.fromEntries(relinked),
      skipped,
      changed,
      failed,
      notes,
      batches,
      end,
      stopped,
    }
  }
}
