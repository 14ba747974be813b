import { sql } from 'drizzle-orm'
import type { Cell } from '../../db/dialect.ts'
import { shortReason } from '../../db/errors.ts'
import { cellsOf } from '../../db/image.ts'
import type { Db } from '../../db/port.ts'
import { inSavepoint } from '../../db/savepoint.ts'
import { UserError } from '../../errors.ts'
import type { Site } from '../../site/site.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import type { Owners } from '../archive/ownership.ts'
import type { PresentBatch, RowReference } from './find-present.ts'
import { insertAbsent, insertAndRead, type NewRows, whyAbsent } from './insert-absent.ts'
import { PresentCopies } from './present-copies.ts'
import { type NamedCell, PresentRows } from './present-rows.ts'
import { ReferenceRestoration } from './put-back-reference.ts'
import { RingRestoration } from './put-back-rings.ts'
import { Refusals } from './refusals.ts'
import type { RestoreTally } from './restore-report.ts'
import type { TakenRows } from './taken-rows.ts'

/** What rows are put back with: one transaction. */
export interface PuttingBack {
  readonly tx: Db
  readonly site: Site
  readonly rows: ArchivedRows
  readonly owners: Owners
  readonly taken: TakenRows
  readonly present: PresentBatch
  readonly tally: RestoreTally
  /** Keys of users who have got back a verified address, in any batch. */
  readonly verifiers: Set<string>
}

/** A row as it goes in. */
interface WholeRow extends NewRows {
  readonly cells: readonly NamedCell[]
}

const NONE: ReadonlySet<string> = new Set()
const GONE = 'the table is gone'

/** Puts back rows one at a time, and finds out why one does not go in. */
export class LineRestoration {
  private readonly work: PuttingBack
  private readonly present: PresentRows
  private readonly copies: PresentCopies
  private readonly refusals: Refusals
  private readonly references: ReferenceRestoration

  constructor(work: PuttingBack) {
    this.work = work
    this.present = new PresentRows(work.tx, work.site)
    this.copies = new PresentCopies(work.tx, work.site, work.rows)
    this.refusals = new Refusals(work)
    this.references = new ReferenceRestoration(work, this.present, this.copies, this.refusals)
  }

  /** Returns false, and counts the line, when it is there already, or would come into the hands of somebody else. */
  goesIn(line: ArchiveLine): boolean {
    return this.refusals.goesIn(line)
  }

  /** Puts the row back, or notes why not. Throws the database's error when it refuses the row. */
  async putBack(line: ArchiveLine): Promise<void> {
    if (isDeleted(line)) await this.insert(line, NONE)
    else await this.references.putBack(line)
  }

  /** Puts back what can be, whatever becomes of the others. A row whose parent is missing may find it after them. */
  async putBackEach(lines: readonly ArchiveLine[]): Promise<void> {
    let waiting: readonly DeletedLine[] = lines.filter(isDeleted)
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length
      const orphans: DeletedLine[] = []
      for (const line of waiting) {
        if (!this.goesIn(line)) continue
        if (await this.isOrphan(line)) orphans.push(line)
        else await this.tryOne(line)
      }
      waiting = orphans
    }
    await new RingRestoration(this.work, this.present, this).putBack(waiting)
    // Only now is everything there that they may refer to.
    for (const line of lines) if (!isDeleted(line) && this.goesIn(line)) await this.tryOne(line)
  }

  /**
   * Puts the row back, with NULL in these columns when given. One that is refused does not take the others with it: it
   * returns false.
   */
  async tryOne(line: ArchiveLine, cleared = NONE): Promise<boolean> {
    const isIn = await this.trying(line, async () => {
      if (isDeleted(line)) return this.insert(line, cleared)
      await this.references.putBack(line)
      return true
    })
    if (isIn === undefined && isDeleted(line)) this.work.taken.leaveOut(line)
    return isIn ?? false
  }

  /** Returns undefined, and notes why, when the database refuses the work for the line. */
  private async trying<T>(line: ArchiveLine, work: () => Promise<T>): Promise<T | undefined> {
    const { tx, rows } = this.work
    try {
      return await inSavepoint(tx, work)
    } catch (error) {
      const needed = isDeleted(line) ? rows.newColumns(line) : []
      if (needed.length > 0)
        this.fail(line, `a column that has come since needs a value: ${needed.join(', ')}`)
      else this.fail(line, shortReason(error))
      return undefined
    }
  }

  /** Inserts the row and counts nothing; returns why it is not in, when it is not. Throws the database's error. */
  async insertOnly(line: DeletedLine): Promise<string | undefined> {
    const row = this.rowOf(line, NONE)
    if (!row) return GONE
    return (await this.isInserted(line, row)) ? undefined : whyAbsent(this.work.tx, row)
  }

  /** Counts the row as back, and notes what it lacks. */
  noteBack(line: DeletedLine): void {
    const { rows, taken, tally } = this.work
    tally.putBack(rows.tableNameOf(line), [line])
    const gone = rows.goneColumns(line)
    if (gone.length > 0) this.fail(line, `put back without columns that have disappeared: ${gone.join(', ')}`)
    for (const { columns } of taken.lostBy(line)) this.failReference(line, columns)
  }

  /** Returns the cells of the row without references that are lost. */
  comingCells(line: DeletedLine): Map<string, Cell> {
    const { rows, taken } = this.work
    const cells = rows.cellsOf(line)
    for (const { columns } of taken.lostBy(line)) for (const name of columns) cells.delete(name)
    return cells
  }

  /** Fills in a reference that is NULL, in a row that was there already, or notes why not. */
  async putBackReference({ line, reference }: RowReference): Promise<void> {
    await this.trying(line, () => this.references.fill(line, reference.columns))
  }

  /** Notes that the row is back, but for what it referred to. */
  failReference(line: DeletedLine, columns: readonly string[]): void {
    this.refusals.failReference(line, columns)
  }

  /** Notes why the row is not back, or not as it was. */
  fail(line: ArchiveLine, reason: string): void {
    this.refusals.fail(line, reason)
  }

  /** Returns false, and notes why, when the row is not in. */
  private async insert(line: DeletedLine, cleared: ReadonlySet<string>): Promise<boolean> {
    const { tx, rows, taken, tally } = this.work
    const row = this.rowOf(line, cleared)
    if (!row) {
      this.fail(line, GONE)
      return false
    }
    const { table, cells } = row
    // Also with a reference that is lost: it is missing still, and reported again.
    const archived = rows.cellsOf(line)
    const asked = cells.map(
      ([name]): NamedCell => [name, cleared.has(name) ? null : (archived.get(name) ?? null)],
    )
    const open = await this.copies.take(table, line, asked)
    if (open) {
      tally.skip()
      for (const { columns } of taken.referencesOf(table.label)) {
        if (columns.some((name) => open.includes(name))) await this.references.fill(line, columns)
      }
      return true
    }
    if (await this.isInserted(line, row)) {
      this.noteBack(line)
      return true
    }
    const standing = await this.present.standing(table, cells, rows.owningColumns(table.label))
    if (standing === 'equal') {
      tally.skip()
      return true
    }
    if (standing === 'free' && (await this.insertsWithoutReference(line, cleared))) return true
    if (standing === 'other') taken.add(line, table.primaryKey)
    else taken.leaveOut(line)
    // It was not there when the batch began.
    const hasCome = 'another row has come in its place meanwhile, perhaps from a trigger'
    this.fail(line, standing === 'changed' ? hasCome : await whyAbsent(tx, row))
    return false
  }

  /** What a reference leads to may be somebody else's one and only. */
  private async insertsWithoutReference(line: DeletedLine, cleared: ReadonlySet<string>): Promise<boolean> {
    const { rows, taken } = this.work
    const coming = this.comingCells(line)
    for (const { optional, columns } of taken.referencesOf(rows.tableNameOf(line))) {
      if (!optional || columns.some((name) => (coming.get(name) ?? null) === null)) continue
      const row = this.rowOf(line, new Set([...cleared, ...columns]))
      if (!row || !(await this.isInserted(line, row))) continue
      this.noteBack(line)
      this.failReference(line, columns)
      return true
    }
    return false
  }

  private rowOf(line: DeletedLine, cleared: ReadonlySet<string>): WholeRow | undefined {
    const { tx, rows } = this.work
    const table = rows.tableOf(line)
    if (!table) return undefined
    const coming = this.comingCells(line)
    const written = rows.writtenColumns(line).map(({ column }) => {
      const cell = cleared.has(column.name) ? null : (coming.get(column.name) ?? null)
      return { column, cell, value: tx.dialect.cellValue(cell, column.type) }
    })
    return {
      table,
      columns: written.map(({ column }) => column),
      source: sql`values (${sql.join(
        written.map(({ value }) => value),
        sql`, `,
      )})`,
      cells: written.map(({ column, cell }) => [column.name, cell]),
    }
  }

  private async isInserted(line: DeletedLine, row: WholeRow): Promise<boolean> {
    const { tx, rows } = this.work
    return rows.isRetyped(line) ? insertedUnchanged(tx, row) : (await insertAbsent(tx, row)) > 0
  }

  private async isOrphan(line: DeletedLine): Promise<boolean> {
    const table = this.work.rows.tableOf(line)
    return (
      table !== undefined && (await this.present.missingParents(table, this.comingCells(line))).length > 0
    )
  }
}

/** Returns false when the row is there already. Throws a UserError when the database would make another one of it. */
async function insertedUnchanged(tx: Db, row: WholeRow): Promise<boolean> {
  const [found] = await insertAndRead(tx, row)
  if (!found) return false
  const now = cellsOf(found)
  const changed = row.cells.filter(([, cell], i) => JSON.stringify(cell) !== JSON.stringify(now[i]))
  if (changed.length === 0) return true
  const names = changed.map(([name]) => name).join(', ')
  throw new UserError(`the type of a column has changed, and would change its value: ${names}`)
}
