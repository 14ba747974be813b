import { sql } from 'drizzle-orm'
import { columnOf, type Table } from '../db/catalog.ts'
import { tableName } from '../db/identifiers.ts'
import type { ImageRow } from '../db/image.ts'
import type { Db } from '../db/port.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveLine } from './archive.ts'
import type { ArchivedRows } from './archived-rows.ts'
import { type NamedCell, PresentRows } from './present-rows.ts'

/** Rows of tables without a primary key: only their values tell them apart, and several may have the same. */
export class PresentCopies {
  private readonly tx: Db
  private readonly present: PresentRows
  private readonly rows: ArchivedRows
  private readonly before = new Map<string, Map<string, number>>()

  constructor(tx: Db, site: Site, rows: ArchivedRows) {
    this.tx = tx
    this.rows = rows
    this.present = new PresentRows(tx, site)
  }

  /**
   * True when such a row has been there from the beginning, one more than was asked for so far; never for a table with
   * a primary key. A reference that was NULL by then may have been put back since.
   */
  async isThere(table: Table, line: ArchiveLine, all: readonly NamedCell[]): Promise<boolean> {
    if (table.primaryKey.length > 0) return false
    const cleared = this.rows.clearedColumns(line)
    const cells = all.filter(([name, cell]) => cell !== null || !cleared.has(name))
    const copies = await this.copiesBeside(table, cells)
    const image = JSON.stringify(cells.map(([, cell]) => cell))
    const left = copies.get(image) ?? 0
    copies.set(image, left - 1)
    return left > 0
  }

  /** Returns how often each row was there that refers to the same rows, before any was put back beside it. */
  private async copiesBeside(table: Table, cells: readonly NamedCell[]): Promise<Map<string, number>> {
    const referring = this.present.referring(table)
    const references = cells.filter(([name]) => referring.has(name))
    const beside = JSON.stringify([table.label, cells.map(([name]) => name), references])
    const copies = this.before.get(beside) ?? (await this.count(table, cells, references))
    this.before.set(beside, copies)
    return copies
  }

  private async count(
    table: Table,
    cells: readonly NamedCell[],
    references: readonly NamedCell[],
  ): Promise<Map<string, number>> {
    const columns = cells.map(([name]) => ({ name, type: columnOf(table, name)?.type ?? '' }))
    const where = references.length > 0 ? this.present.matches(table, references) : sql`true`
    const rows = await this.tx.rows<ImageRow>(
      sql`select ${this.tx.dialect.image(columns)} as image from ${tableName(table)} where ${where}`,
    )
    const copies = new Map<string, number>()
    for (const { image } of rows) {
      const same = JSON.stringify(JSON.parse(image))
      copies.set(same, (copies.get(same) ?? 0) + 1)
    }
    return copies
  }
}
