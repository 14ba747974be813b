import { sql } from 'drizzle-orm'
import { identifyingColumns, type Table } from '../../db/catalog.ts'
import { tableName } from '../../db/identifiers.ts'
import type { ArchivedReference } from '../archive/archived-references.ts'
import type { ArchiveLine, ClearedLine, DeletedLine } from '../archive/lines.ts'
import { fillReference, likeKey } from './fill-reference.ts'
import type { PresentCopies } from './present-copies.ts'
import type { NamedCell, PresentRows } from './present-rows.ts'
import type { PuttingBack } from './putting-back.ts'
import { notThere, type Refusals, TABLE_GONE } from './refusals.ts'

/** Puts back what rows referred to that are there, and have NULL in its place. */
export class ReferenceRestoration {
  private readonly work: PuttingBack
  private readonly present: PresentRows
  private readonly copies: PresentCopies
  private readonly refusals: Refusals

  constructor(work: PuttingBack, present: PresentRows, copies: PresentCopies, refusals: Refusals) {
    this.work = work
    this.present = present
    this.copies = copies
    this.refusals = refusals
  }

  /** Fills in what the purge has set to NULL, or notes why not. Throws the database's error when it refuses that. */
  async putBack(line: ClearedLine): Promise<void> {
    const { site, rows, tally } = this.work
    const table = rows.tableOf(line)
    if (!table) return this.refusals.fail(line, TABLE_GONE)
    const was = Object.entries(line.was)
    const key = Object.entries(line.key)
    const missing = await this.missing(table, [...key, ...was], Object.keys(line.was))
    if (missing) return this.refusals.fail(line, notThere(line, missing))
    if (await this.copies.take(table, line, [...key, ...was])) return tally.skip()
    const mayBeNull = this.mayBeNull(table, line)
    if (await fillReference(site.db, this.present, { table, key, was, mayBeNull })) {
      return tally.relink(table.label)
    }
    const alike = [...likeKey(this.present, table, key, mayBeNull), this.present.matches(table, was)]
    const same = sql.join(alike, sql` and `)
    const found = await site.db.rows(sql`select 1 from ${tableName(table)} where ${same}`)
    if (found.length > 0) tally.skip()
    else
      this.refusals.fail(line, 'the row that referred to the user is gone, or refers to somebody else by now')
  }

  /** Fills in a reference of an archived row that is there already, or notes that it stays empty. */
  async fill(line: DeletedLine, { columns, clears }: ArchivedReference): Promise<void> {
    const { site, rows, taken, tally } = this.work
    const table = rows.tableOf(line)
    if (!table) return
    const cells = rows.cellsOf(line)
    const named = (name: string): NamedCell => [name, cells.get(name) ?? null]
    const written = rows.writtenColumns(line).map(({ column }) => column.name)
    const key = identifyingColumns(table, written)
      .filter((name) => !columns.includes(name))
      .map(named)
    const isLost =
      taken.lostBy(line).some((reference) => reference.columns.join() === columns.join()) ||
      (await this.missing(table, [...cells], columns)) !== undefined
    const was = columns.map(named)
    const mayBeNull = this.mayBeNull(table, line)
    if (!isLost && (await fillReference(site.db, this.present, { table, key, was, mayBeNull })))
      tally.relink(table.label)
    else this.refusals.failReference(line, clears)
  }

  /** Returns the name of a table of which a row is not there that these columns refer to. */
  private async missing(
    table: Table,
    cells: readonly NamedCell[],
    columns: readonly string[],
  ): Promise<string | undefined> {
    const missing = await this.present.missingParents(table, new Map(cells))
    return missing.find((key) => key.columns.some((name) => columns.includes(name)))?.references.label
  }

  /** Without a primary key, the other references of the row are part of its key, and may have been set to NULL since, or put back. */
  private mayBeNull(table: Table, line: ArchiveLine): ReadonlySet<string> {
    return table.primaryKey.length > 0 ? new Set() : this.work.rows.clearedColumns(line)
  }
}
