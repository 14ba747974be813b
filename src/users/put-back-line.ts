import { sql } from 'drizzle-orm'
import type { Cell } from '../db/dialect.ts'
import { shortReason } from '../db/errors.ts'
import { cellsOf } from '../db/image.ts'
import type { Db } from '../db/port.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveLine, DeletedLine } from './archive.ts'
import type { ArchivedRows } from './archived-rows.ts'
import type { PresentBatch, RowReference } from './find-present.ts'
import { insertAbsent, insertAndRead, type NewRows, whyAbsent } from './insert-absent.ts'
import type { Owners } from './ownership.ts'
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
    if ('d' in line) await this.insert(line, NONE)
    else await this.references.putBack(line)
  }

  /** Puts back what can be, whatever becomes of the others. A row whose parent is missing may find it after them. */
  async putBackEach(lines: readonly ArchiveLine[]): Promise<void> {
    let waiting: readonly DeletedLine[] = lines.filter((line): line is DeletedLine => 'd' in line)
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
    for (const line of lines) if ('n' in line && this.goesIn(line)) await this.tryOne(line)
  }

  /**
   * Puts the row back, with NULL in these columns when given. One that is refused does not take the others with it: it
   * returns false.
   */
  async tryOne(line: ArchiveLine, cleared = NONE): Promise<boolean> {
    const { tx, rows, taken } = this.work
    let isIn = true
    await tx.run(sql`savepoint one_row`)
    try {
      if ('d' in line) isIn = await this.insert(line, cleared)
      else await this.references.putBack(line)
    } catch (error) {
      await tx.run(sql`rollback to savepoint one_row`)
      const needed = 'd' in line ? rows.newColumns(line) : []
      if (needed.length > 0)
        this.fail(line, `a column that has come since needs a value: ${needed.join(', ')}`)
      else this.fail(line, shortReason(error))
      if ('d' in line) taken.leaveOut(line)
      isIn = false
    }
    await tx.run(sql`release savepoint one_row`)
    return isIn
  }

  /** Inserts the row and counts nothing; returns false when it is not in. Throws the database's error. */
  async insertOnly(line: DeletedLine): Promise<boolean> {
    const row = this.rowOf(line, NONE)
    return row !== undefined && (await this.isInserted(line, row))
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
  async putBackReference(open: RowReference): Promise<void> {
    const cleared = await this.references.clearedBy(open)
    if (cleared) await this.tryOne(cleared)
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
      this.fail(line, 'the table is gone')
      return false
    }
    const { table, cells } = row
    const isThere = await this.copies.isThere(table, line, cells)
    if (!isThere && (await this.isInserted(line, row))) {
      this.noteBack(line)
      return true
    }
    const standing = isThere
      ? 'equal'
      : await this.present.standing(table, cells, rows.owningColumns(table.label))
    if (standing === 'equal') {
      tally.skip()
      return true
    }
    if (standing === 'other') taken.add(line)
    else taken.leaveOut(line)
    // It was not there when the batch began.
    const hasCome = 'another row has come in its place meanwhile, perhaps from a trigger'
    this.fail(line, standing === 'changed' ? hasCome : await whyAbsent(tx, row))
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
