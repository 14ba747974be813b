import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import type { RowReference } from './find-present.ts'
import { PresentCopies } from './present-copies.ts'
import { PresentRows } from './present-rows.ts'
import { ReferenceRestoration } from './put-back-reference.ts'
import { RingRestoration } from './put-back-rings.ts'
import { RowRestoration } from './put-back-row.ts'
import type { PuttingBack } from './putting-back.ts'
import { Refusals } from './refusals.ts'

/** Puts back lines one at a time, in an order in which they can. */
export class LineRestoration {
  private readonly work: PuttingBack
  private readonly present: PresentRows
  private readonly copies: PresentCopies
  private readonly refusals: Refusals
  private readonly references: ReferenceRestoration
  private readonly rows: RowRestoration

  constructor(work: PuttingBack) {
    this.work = work
    this.present = new PresentRows(work.site)
    this.refusals = new Refusals(work)
    this.copies = new PresentCopies(work.site, work.rows)
    this.references = new ReferenceRestoration(work, this.present, this.copies, this.refusals)
    this.rows = new RowRestoration(work, this.present, this.copies, this.refusals, this.references)
  }

  /** To be called before any of these lines, which may come one after the other, is put back. */
  async begin(lines: readonly ArchiveLine[]): Promise<void> {
    await this.copies.find(lines)
  }

  /** Returns false, and counts the line, when it is there already, or would come into the hands of somebody else. */
  goesIn(line: ArchiveLine): boolean {
    return this.refusals.goesIn(line)
  }

  /** Puts the row back, or notes why not. Throws the database's error when it refuses the row. */
  async putBack(line: ArchiveLine): Promise<void> {
    if (isDeleted(line)) await this.rows.insert(line)
    else await this.references.putBack(line)
  }

  /** Puts back what can be, whatever becomes of the others. A row whose parent is missing may find it after them. */
  async putBackEach(lines: readonly ArchiveLine[]): Promise<void> {
    await this.begin(lines)
    let waiting: readonly DeletedLine[] = lines.filter(isDeleted)
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length
      const orphans: DeletedLine[] = []
      for (const line of waiting) {
        if (!this.goesIn(line)) continue
        if (await this.isOrphan(line)) orphans.push(line)
        else await this.rows.tryOne(line)
      }
      waiting = orphans
    }
    await new RingRestoration(this.work, this.present, this.refusals, this.rows).putBack(waiting)
    // Only now is everything there that they may refer to.
    for (const line of lines) {
      if (isDeleted(line) || !this.goesIn(line)) continue
      await this.refusals.trying(line, () => this.references.putBack(line))
    }
  }

  /** Fills in a reference that is NULL, in a row that was there already, or notes why not. */
  async putBackReference({ line, reference }: RowReference): Promise<void> {
    await this.refusals.trying(line, () => this.references.fill(line, reference))
  }

  private async isOrphan(line: DeletedLine): Promise<boolean> {
    const table = this.work.rows.tableOf(line)
    return (
      table !== undefined &&
      (await this.present.missingParents(table, this.rows.comingCells(line))).length > 0
    )
  }
}
