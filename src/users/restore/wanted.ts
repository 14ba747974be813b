import type { ArchivedRows } from '../archive/archived-rows.ts'
import { type ArchiveLine, type ClearedLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import type { Owners } from '../archive/ownership.ts'
import type { RowReference } from './find-present.ts'
import type { RowSet } from './row-set.ts'
import type { TakenRows } from './taken-rows.ts'

/** What belongs to users who are asked for, over the batches of an archive from the last to the first. */
export class Wanted {
  private readonly users: ReadonlySet<string>
  private readonly rows: ArchivedRows
  private readonly taken: TakenRows
  /** Theirs: whatever refers to them, or lost a reference before they went, is in the same batch or in one before. */
  private readonly theirs: RowSet
  /** Theirs, and what cannot be there without them: it may be somebody else's who is back already. */
  private readonly hanging: RowSet

  constructor(users: readonly string[], rows: ArchivedRows, taken: TakenRows) {
    this.users = new Set(users)
    this.rows = rows
    this.taken = taken
    this.theirs = taken.emptySet()
    this.hanging = taken.emptySet()
  }

  /** Returns the lines of a batch that are theirs or hang on these, with what such rows have lost and what has lost them. */
  among(lines: readonly ArchiveLine[], owners: Owners): ArchiveLine[] {
    const isTheirs = (line: ArchiveLine) => this.users.has(owners.of(line) ?? '')
    const [own, others] = [true, false].map((theirs) =>
      lines.filter((line): line is DeletedLine => isDeleted(line) && isTheirs(line) === theirs),
    )
    for (const line of own ?? []) {
      this.theirs.add(line)
      this.hanging.add(line)
    }
    const shared = this.hangingAmong(others ?? [])
    return lines.filter((line) => isTheirs(line) || (isDeleted(line) ? shared.has(line) : this.isLoss(line)))
  }

  /** True for what is theirs, and for what a row of theirs has lost. */
  isTheirs(line: ArchiveLine, owners: Owners): boolean {
    return this.users.has(owners.of(line) ?? '') || this.theirs.own(line) !== undefined
  }

  /** True when the reference is one of theirs, or leads to a row of theirs, or to one that hangs on them. */
  has({ line, reference }: RowReference, owners: Owners): boolean {
    if (this.users.has(owners.of(line) ?? '')) return true
    return this.hanging.refersTo(reference, this.rows.cellsOf(line)) !== undefined
  }

  /** They may hang on each other in any order. Nobody else comes back. */
  private hangingAmong(lines: readonly DeletedLine[]): Set<DeletedLine> {
    const found = new Set<DeletedLine>()
    for (let before = -1; before < found.size; ) {
      before = found.size
      for (const line of lines) {
        if (found.has(line) || this.taken.isUser(line) || !this.hangs(line)) continue
        found.add(line)
        this.hanging.add(line)
      }
    }
    return found
  }

  /** True when such a row has lost the reference, or is what it led to. */
  private isLoss(line: ClearedLine): boolean {
    if (this.hanging.own(line) !== undefined) return true
    const cells = this.rows.cellsOf(line)
    return this.taken
      .referencesOf(this.rows.tableNameOf(line))
      .some(
        (reference) =>
          reference.columns.some((name) => name in line.was) &&
          this.hanging.refersTo(reference, cells) !== undefined,
      )
  }

  private hangs(line: DeletedLine): boolean {
    if (this.hanging.size === 0) return false
    const cells = this.rows.cellsOf(line)
    return this.taken
      .referencesOf(this.rows.tableNameOf(line))
      .some((reference) => !reference.optional && this.hanging.refersTo(reference, cells) !== undefined)
  }
}
