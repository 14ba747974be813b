import type { ArchivedRows } from '../archive/archived-rows.ts'
import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import type { Owners } from '../archive/ownership.ts'
import type { RowReference } from './find-present.ts'
import type { RowSet } from './row-set.ts'

/** What belongs to users who are asked for, over the batches of an archive from the last to the first. */
export class Wanted {
  private readonly users: ReadonlySet<string>
  private readonly rows: ArchivedRows
  /** Theirs: whatever refers to them, or lost a reference before they went, is in the same batch or in one before. */
  private readonly theirs: RowSet

  constructor(users: readonly string[], rows: ArchivedRows, none: RowSet) {
    this.users = new Set(users)
    this.rows = rows
    this.theirs = none
  }

  /** Returns the lines of a batch that are theirs, with what rows of theirs have lost and what has lost them. */
  among(lines: readonly ArchiveLine[], owners: Owners): ArchiveLine[] {
    const isTheirs = (line: ArchiveLine) => this.users.has(owners.of(line) ?? '')
    const deleted = lines.filter((line): line is DeletedLine => isDeleted(line) && isTheirs(line))
    for (const line of deleted) this.theirs.add(line)
    return lines.filter((line) => isTheirs(line) || (!isDeleted(line) && this.theirs.own(line) !== undefined))
  }

  /** True when the reference is one of theirs, or leads to a row of theirs. */
  has({ line, reference }: RowReference, owners: Owners): boolean {
    if (this.users.has(owners.of(line) ?? '')) return true
    return this.theirs.refersTo(reference, this.rows.cellsOf(line)) !== undefined
  }
}
