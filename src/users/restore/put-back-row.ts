import { sql } from 'drizzle-orm'
import type { Cell } from '../../db/dialect.ts'
import { cellsOf, isSameCell } from '../../db/image.ts'
import type { Db } from '../../db/port.ts'
import { UserError } from '../../errors.ts'
import type { DeletedLine } from '../archive/lines.ts'
import { insertAbsent, insertAndRead, type NewRows, whyAbsent } from './insert-absent.ts'
import type { PresentCopies } from './present-copies.ts'
import type { NamedCell, PresentRows } from './present-rows.ts'
import type { ReferenceRestoration } from './put-back-reference.ts'
import type { PuttingBack } from './putting-back.ts'
import { type Refusals, TABLE_GONE } from './refusals.ts'

/** A row as it goes in. */
interface WholeRow extends NewRows {
  readonly cells: readonly NamedCell[]
}

const NONE: ReadonlySet<string> = new Set()

/** Puts back a row that was deleted, and finds out why it does not go in. */
export class RowRestoration {
  private readonly work: PuttingBack
  private readonly present: PresentRows
  private readonly copies: PresentCopies
  private readonly refusals: Refusals
  private readonly references: ReferenceRestoration

  constructor(
    work: PuttingBack,
    present: PresentRows,
    copies: PresentCopies,
    refusals: Refusals,
    references: ReferenceRestoration,
  ) {
    this.work = work
    this.present = present
    this.copies = copies
    this.refusals = refusals
    this.references = references
  }

  /**
   * As `insert`, with NULL in these columns when given; a row that the database refuses does not take the others with it.
   */
  async tryOne(line: DeletedLine, cleared = NONE): Promise<boolean> {
    const isIn = await this.refusals.trying(line, () => this.insert(line, cleared))
    if (isIn === undefined) this.work.taken.leaveOut(line)
    return isIn ?? false
  }

  /** Returns false, and notes why, when the row is not in. */
  async insert(line: DeletedLine, cleared = NONE): Promise<boolean> {
    const { site, rows, taken, tally } = this.work
    const row = this.rowOf(line, cleared)
    if (!row) {
      this.refusals.fail(line, TABLE_GONE)
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
      for (const reference of taken.referencesOf(table.label)) {
        if (reference.columns.some((name) => open.includes(name))) await this.references.fill(line, reference)
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
    this.refusals.fail(line, standing === 'changed' ? hasCome : await whyAbsent(site.db, row))
    return false
  }

  /** Inserts the row and counts nothing; returns why it is not in, when it is not. Throws the database's error. */
  async insertOnly(line: DeletedLine): Promise<string | undefined> {
    const row = this.rowOf(line, NONE)
    if (!row) return TABLE_GONE
    return (await this.isInserted(line, row)) ? undefined : whyAbsent(this.work.site.db, row)
  }

  /** Counts the row as back, and notes what it lacks. */
  noteBack(line: DeletedLine): void {
    const { rows, taken, tally } = this.work
    tally.putBack(rows.tableNameOf(line), [line])
    const gone = rows.goneColumns(line)
    if (gone.length > 0)
      this.refusals.fail(line, `put back without columns that have disappeared: ${gone.join(', ')}`)
    for (const { clears } of taken.lostBy(line)) this.refusals.failReference(line, clears)
  }

  /** Returns the cells of the row without references that are lost. */
  comingCells(line: DeletedLine): Map<string, Cell> {
    const { rows, taken } = this.work
    const cells = rows.cellsOf(line)
    for (const { clears } of taken.lostBy(line)) for (const name of clears) cells.delete(name)
    return cells
  }

  /** What a reference leads to may be somebody else's one and only. */
  private async insertsWithoutReference(line: DeletedLine, cleared: ReadonlySet<string>): Promise<boolean> {
    const { rows, taken } = this.work
    const coming = this.comingCells(line)
    for (const { optional, columns, clears } of taken.referencesOf(rows.tableNameOf(line))) {
      if (!optional || columns.some((name) => (coming.get(name) ?? null) === null)) continue
      const row = this.rowOf(line, new Set([...cleared, ...clears]))
      if (!row || !(await this.isInserted(line, row))) continue
      this.noteBack(line)
      this.refusals.failReference(line, clears)
      return true
    }
    return false
  }

  private rowOf(line: DeletedLine, cleared: ReadonlySet<string>): WholeRow | undefined {
    const { site, rows } = this.work
    const table = rows.tableOf(line)
    if (!table) return undefined
    const coming = this.comingCells(line)
    const written = rows.writtenColumns(line).map(({ column }) => {
      const cell = cleared.has(column.name) ? null : (coming.get(column.name) ?? null)
      return { column, cell, value: site.db.dialect.cellValue(cell, column.type) }
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
    const { site, rows } = this.work
    return rows.isRetyped(line) ? insertedUnchanged(site.db, row) : (await insertAbsent(site.db, row)) > 0
  }
}

/** Returns false when the row is there already. Throws a UserError when the database would make another one of it. */
async function insertedUnchanged(tx: Db, row: WholeRow): Promise<boolean> {
  const [found] = await insertAndRead(tx, row)
  if (!found) return false
  const now = cellsOf(found)
  const changed = row.cells.filter(([, cell], i) => !isSameCell(cell, now[i]))
  if (changed.length === 0) return true
  const names = changed.map(([name]) => name).join(', ')
  throw new UserError(`the type of a column has changed, and would change its value: ${names}`)
}
