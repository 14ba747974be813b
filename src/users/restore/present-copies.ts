import { sql } from 'drizzle-orm'
import { columnOf, type Table } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import { tableName } from '../../db/identifiers.ts'
import { cellsOf, type ImageRow, isSameCell } from '../../db/image.ts'
import type { Db } from '../../db/port.ts'
import type { Site } from '../../site/site.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import { type ArchiveLine, isDeleted } from '../archive/lines.ts'
import { type NamedCell, PresentRows } from './present-rows.ts'

/** Rows that are equal but for some columns: the values of these, and how many of them nobody has asked for yet. */
interface Copies {
  readonly values: readonly Cell[]
  left: number
}

/** Rows of tables without a primary key: only their values tell them apart, and several may have the same. */
export class PresentCopies {
  private readonly db: Db
  private readonly present: PresentRows
  private readonly rows: ArchivedRows
  private readonly before = new Map<string, Map<string, Copies[]>>()

  constructor(site: Site, rows: ArchivedRows) {
    this.db = site.db
    this.rows = rows
    this.present = new PresentRows(site)
  }

  /**
   * Looks for a row like the line's among those that were there before the restoration, and takes it, so that the next
   * line like it finds another one. Returns the columns in which that row has NULL and the line has not: mostly none.
   * Undefined when there is no such row, and for a table with a primary key. References that the purge sets to NULL may
   * differ, for another restoration may have filled them in or not; but not the one that a cleared line is about.
   */
  async take(
    table: Table,
    line: ArchiveLine,
    cells: readonly NamedCell[],
  ): Promise<readonly string[] | undefined> {
    if (table.primaryKey.length > 0) return undefined
    const cleared = this.rows.clearedColumns(line)
    const isCleared = ([name]: NamedCell) => cleared.has(name)
    const wasDeleted = isDeleted(line)
    const open = wasDeleted ? cells.filter(isCleared) : []
    const solid = cells.filter((cell) => !isCleared(cell) || (!wasDeleted && cell[1] !== null))
    const copies = (await this.copiesBeside(table, solid, open)).get(imageOf(solid)) ?? []
    const equal = ({ values }: Copies) => open.filter(([, cell], i) => isSameCell(cell, values[i])).length
    const [best] = copies
      .filter(({ left, values }) => left > 0 && open.every(([, cell], i) => mayBe(cell, values[i])))
      .sort((a, b) => equal(b) - equal(a))
    if (!best) return undefined
    best.left -= 1
    return open.filter(([, cell], i) => cell !== null && best.values[i] === null).map(([name]) => name)
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
      this.before.get(beside) ?? (await this.count(table, names.flat(), solid.length, references))
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

function imageOf(cells: readonly NamedCell[]): string {
  return JSON.stringify(cells.map(([, cell]) => cell))
}

/** True when the reference may have become this one: it is put back, or not yet. */
function mayBe(cell: Cell, value: Cell | undefined): boolean {
  return cell === null || value === null || isSameCell(cell, value)
}
