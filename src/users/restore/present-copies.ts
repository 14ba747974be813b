import { sql } from 'drizzle-orm'
import { columnOf, type Table } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import { isRefusal } from '../../db/errors.ts'
import { tableName } from '../../db/identifiers.ts'
import { cellsOf, type ImageRow, isSameCell } from '../../db/image.ts'
import type { Db } from '../../db/port.ts'
import { inSavepoint } from '../../db/savepoint.ts'
import type { Site } from '../../site/site.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import { type NamedCell, PresentRows } from './present-rows.ts'

/** Rows that are equal but for some columns: the values of these, and how many of them there are for lines. */
interface Copies {
  readonly values: readonly Cell[]
  left: number
}

/** Rows that are like a line but for some of its cells. */
interface LikeLine {
  readonly open: readonly NamedCell[]
  readonly copies: readonly Copies[]
}

/** A line that looks for a row that is there already. */
interface Wish {
  readonly line: DeletedLine
  /** What may be its row, the likeliest first. */
  readonly fitting: readonly Copies[]
}

/** Rows of tables without a primary key: only their values tell them apart, and several may have the same. */
export class PresentCopies {
  private readonly db: Db
  private readonly present: PresentRows
  private readonly rows: ArchivedRows
  private readonly before = new Map<string, Map<string, Copies[]>>()
  private readonly found = new Map<DeletedLine, Copies>()
  private readonly refused = new Map<ArchiveLine, unknown>()

  constructor(site: Site, rows: ArchivedRows) {
    this.db = site.db
    this.rows = rows
    this.present = new PresentRows(site)
  }

  /**
   * Looks for rows like the lines' among those that are there: to be called before any of these is put back, for then
   * nobody could tell them from these. References that the purge sets to NULL may differ, for another restoration may
   * have filled them in or not; but not the one that a cleared line is about.
   */
  async find(lines: readonly ArchiveLine[]): Promise<void> {
    const wishes: Wish[] = []
    for (const line of lines) {
      const table = this.rows.tableOf(line)
      if (!table || table.primaryKey.length > 0) continue
      const found = await this.likeLine(table, line, this.cellsOf(line)).catch((error: unknown) => {
        if (!isRefusal(error)) throw error
        this.refused.set(line, error)
      })
      if (found && isDeleted(line)) wishes.push({ line, fitting: fitting(found) })
    }
    for (const [line, copy] of granted(wishes)) this.found.set(line, copy)
  }

  /**
   * Takes the row that `find` has found for the line. Returns the columns in which that row has NULL and the line has
   * not: mostly none. Undefined when there is no such row, and for a table with a primary key. Throws the database's
   * error when it has refused to look: a column may have disappeared.
   */
  async take(
    table: Table,
    line: ArchiveLine,
    cells: readonly NamedCell[],
  ): Promise<readonly string[] | undefined> {
    if (table.primaryKey.length > 0) return undefined
    if (this.refused.has(line)) throw this.refused.get(line)
    if (isDeleted(line)) {
      const values = this.found.get(line)?.values
      const { open } = this.split(line, cells)
      return values && open.filter(([, cell], i) => cell !== null && values[i] === null).map(([name]) => name)
    }
    const { copies } = await this.likeLine(table, line, cells)
    const copy = copies.find(({ left }) => left > 0)
    if (!copy) return undefined
    copy.left -= 1
    return []
  }

  private cellsOf(line: ArchiveLine): readonly NamedCell[] {
    if (!isDeleted(line)) return [...Object.entries(line.key), ...Object.entries(line.was)]
    const archived = this.rows.cellsOf(line)
    return this.rows
      .writtenColumns(line)
      .map(({ column: { name } }): NamedCell => [name, archived.get(name) ?? null])
  }

  /** Returns the rows that are like the line but for its open cells. */
  private async likeLine(table: Table, line: ArchiveLine, cells: readonly NamedCell[]): Promise<LikeLine> {
    const { solid, open } = this.split(line, cells)
    return { open, copies: (await this.copiesBeside(table, solid, open)).get(imageOf(solid)) ?? [] }
  }

  /** Returns the cells that a row like the line has as well, and those in which it may differ. */
  private split(line: ArchiveLine, cells: readonly NamedCell[]) {
    const cleared = this.rows.clearedColumns(line)
    const isCleared = ([name]: NamedCell) => cleared.has(name)
    const wasDeleted = isDeleted(line)
    return {
      solid: cells.filter((cell) => !isCleared(cell) || (!wasDeleted && cell[1] !== null)),
      open: wasDeleted ? cells.filter(isCleared) : [],
    }
  }

  /** Returns how often each row was there that refers to the same rows, before any was put back beside it. */
  private async copiesBeside(
    table: Table,
    solid: readonly NamedCell[],
    open: readonly NamedCell[],
  ): Promise<Map<string, Copies[]>> {
    const referring = this.present.referring(table)
    const references = solid.filter(([name]) => referring.has(name))
    const names = [solid, open].map((cells) => cells.map(([name]) => name))
    const beside = JSON.stringify([table.label, names, references])
    const copies =
      this.before.get(beside) ??
      (await inSavepoint(this.db, () => this.count(table, names.flat(), solid.length, references)))
    this.before.set(beside, copies)
    return copies
  }

  private async count(
    table: Table,
    names: readonly string[],
    solid: number,
    references: readonly NamedCell[],
  ): Promise<Map<string, Copies[]>> {
    const columns = names.map((name) => ({ name, type: columnOf(table, name)?.type ?? '' }))
    const where = references.length > 0 ? this.present.matches(table, references) : sql`true`
    const rows = await this.db.rows<ImageRow>(
      sql`select ${this.db.dialect.image(columns)} as image from ${tableName(table)} where ${where}`,
    )
    const found = new Map<string, Copies[]>()
    for (const row of rows) {
      const cells = cellsOf(row)
      const image = JSON.stringify(cells.slice(0, solid))
      const values = cells.slice(solid)
      const copies = found.get(image) ?? []
      const same = copies.find((each) => JSON.stringify(each.values) === JSON.stringify(values))
      if (same) same.left += 1
      else copies.push({ values, left: 1 })
      found.set(image, copies)
    }
    return found
  }
}

/** Returns those that may be the line's row, the likeliest first. */
function fitting({ open, copies }: LikeLine): Copies[] {
  const equal = ({ values }: Copies) => open.filter(([, cell], i) => isSameCell(cell, values[i])).length
  return copies
    .filter(({ values }) => open.every(([, cell], i) => mayBe(cell, values[i])))
    .sort((a, b) => equal(b) - equal(a))
}

/**
 * Returns the rows, each for one line, for as many lines as can have one: a line that could do with another row makes
 * way for one that could not.
 */
function granted(wishes: readonly Wish[]): [DeletedLine, Copies][] {
  const holders = new Map<Copies, Wish[]>()
  const grant = (wish: Wish, asked: Set<Copies>): boolean =>
    wish.fitting.some((copy) => {
      if (asked.has(copy)) return false
      asked.add(copy)
      const holding = holders.get(copy) ?? []
      holders.set(copy, holding)
      const free = holding.length < copy.left
      const at = free ? holding.length : holding.findIndex((other) => grant(other, asked))
      if (at >= 0) holding[at] = wish
      return at >= 0
    })
  for (const wish of wishes) grant(wish, new Set())
  return [...holders].flatMap(([copy, holding]) =>
    holding.map(({ line }): [DeletedLine, Copies] => [line, copy]),
  )
}

function imageOf(cells: readonly NamedCell[]): string {
  return JSON.stringify(cells.map(([, cell]) => cell))
}

/** True when the reference may have become this one: it is put back, or not yet. */
function mayBe(cell: Cell, value: Cell | undefined): boolean {
  return cell === null || value === null || isSameCell(cell, value)
}
