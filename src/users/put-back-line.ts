import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import type { Cell } from '../db/dialect.ts'
import { shortReason } from '../db/errors.ts'
import { tableName } from '../db/identifiers.ts'
import { cellsOf } from '../db/image.ts'
import type { Db } from '../db/port.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveLine, ClearedLine, DeletedLine } from './archive.ts'
import type { ArchivedRows } from './archived-rows.ts'
import { insertAbsent, insertAndRead, type NewRows } from './insert-absent.ts'
import type { Owners } from './ownership.ts'
import { PresentCopies } from './present-copies.ts'
import { type NamedCell, PresentRows } from './present-rows.ts'
import { RingRestoration } from './put-back-rings.ts'
import { Refusals, TAKEN } from './refusals.ts'
import type { RestoreTally } from './restore-report.ts'
import type { TakenRows } from './taken-rows.ts'

/** What rows are put back with: one transaction. */
export interface PuttingBack {
  readonly tx: Db
  readonly site: Site
  readonly rows: ArchivedRows
  readonly owners: Owners
  readonly taken: TakenRows
  readonly tally: RestoreTally
}

/** Puts back rows one at a time, and finds out why one does not go in. */
export class LineRestoration {
  private readonly work: PuttingBack
  private readonly present: PresentRows
  private readonly copies: PresentCopies
  private readonly refusals: Refusals

  constructor(work: PuttingBack) {
    this.work = work
    this.present = new PresentRows(work.tx, work.site)
    this.copies = new PresentCopies(work.tx, work.site)
    this.refusals = new Refusals(work)
  }

  /** Returns false, and counts the line, when it is there already, or would come into the hands of somebody else. */
  goesIn(line: ArchiveLine): boolean {
    return this.refusals.goesIn(line)
  }

  /** Puts the row back, or notes why not. Throws the database's error when it refuses the row. */
  async putBack(line: ArchiveLine): Promise<void> {
    if ('d' in line) await this.insert(line)
    else await this.relink(line)
  }

  /** Puts back what can be, whatever becomes of the others. A row whose parent is missing may find it after them. */
  async putBackEach(lines: readonly ArchiveLine[]): Promise<void> {
    let waiting: readonly ArchiveLine[] = lines.filter((line) => 'd' in line)
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length
      const orphans: ArchiveLine[] = []
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
   * Puts the row back, with other cells when given. One that is refused does not take the others with it: it returns
   * false.
   */
  async tryOne(line: ArchiveLine, row?: readonly Cell[]): Promise<boolean> {
    const { tx } = this.work
    let isIn = true
    await tx.run(sql`savepoint one_row`)
    try {
      if ('d' in line && row) await this.insert(line, row)
      else await this.putBack(line)
    } catch (error) {
      await tx.run(sql`rollback to savepoint one_row`)
      this.fail(line, error instanceof UserError ? error.message : shortReason(error))
      isIn = false
    }
    await tx.run(sql`release savepoint one_row`)
    return isIn
  }

  private async insert(line: DeletedLine, row = line.row): Promise<void> {
    const { tx, rows, taken, tally } = this.work
    const table = rows.tableOf(line)
    if (!table) return this.fail(line, 'the table is gone')
    const written = rows.writtenColumns(line).map(({ column, at }) => ({ column, cell: row[at] ?? null }))
    const cells = written.map(({ column, cell }): NamedCell => [column.name, cell])
    if (table.primaryKey.length === 0 && (await this.isThere(table, line, cells))) return tally.skip()
    const values = written.map(({ column, cell }) => tx.dialect.cellValue(cell, column.type))
    const columns = written.map(({ column }) => column)
    const newRow = { table, columns, source: sql`values (${sql.join(values, sql`, `)})` }
    const isIn = rows.isRetyped(line)
      ? await insertedUnchanged(tx, newRow, cells)
      : (await insertAbsent(tx, newRow)) > 0
    if (isIn) {
      tally.putBack(table.label, [line])
      const gone = rows.goneColumns(line)
      if (gone.length > 0)
        this.fail(line, `put back without columns that have disappeared: ${gone.join(', ')}`)
      return
    }
    const standing = await this.present.standing(table, cells)
    if (standing === 'there') return tally.skip()
    if (standing === 'taken') taken.add(line)
    this.fail(line, TAKEN)
  }

  private async relink(line: ClearedLine): Promise<void> {
    const { tx, rows, tally } = this.work
    const table = rows.tableOf(line)
    if (!table) return this.fail(line, 'the table is gone')
    const was = Object.entries(line.was)
    const [missing] = await this.present.missingParents(table, new Map([...Object.entries(line.key), ...was]))
    if (missing) return this.fail(line, `it referred to a row that is gone: ${missing.references.label}`)
    const set = was.map(
      ([name, cell]) => sql`${sql.identifier(name)} = ${this.present.value(table, name, cell)}`,
    )
    const clear = was.map(([name]) => sql`${sql.identifier(name)} is null`)
    const key = Object.entries(line.key)
    if (table.primaryKey.length === 0 && (await this.isThere(table, line, [...key, ...was])))
      return tally.skip()
    const cleared = sql`${this.present.matches(table, key)} and ${sql.join(clear, sql` and `)}`
    const updated = await tx.changes(
      sql`update ${tableName(table)} set ${sql.join(set, sql`, `)} where ${oneOf(tx, table, cleared)}`,
    )
    if (updated > 0) return tally.relink(table.label)
    const same = this.present.matches(table, [...key, ...was])
    const found = await tx.rows(sql`select 1 from ${tableName(table)} where ${same}`)
    if (found.length > 0) tally.skip()
    else this.fail(line, 'the row that referred to the user is gone, or refers to somebody else by now')
  }

  /** For tables without a primary key. A reference that was NULL by then may have been put back since. */
  private isThere(table: Table, line: ArchiveLine, cells: readonly NamedCell[]): Promise<boolean> {
    const cleared = this.work.rows.clearedColumns(line)
    return this.copies.take(
      table,
      cells.filter(([name, cell]) => cell !== null || !cleared.has(name)),
    )
  }

  private async isOrphan(line: ArchiveLine): Promise<boolean> {
    const table = this.work.rows.tableOf(line)
    if (!('d' in line) || !table) return false
    return (await this.present.missingParents(table, this.work.rows.cellsOf(line))).length > 0
  }

  /** Notes why the row is not back, or not as it was. */
  fail(line: ArchiveLine, reason: string): void {
    this.refusals.fail(line, reason)
  }
}

/** Returns false when the row is there already. Throws a UserError when the database would make another one of it. */
async function insertedUnchanged(tx: Db, row: NewRows, cells: readonly NamedCell[]): Promise<boolean> {
  const [found] = await insertAndRead(tx, row)
  if (!found) return false
  const now = cellsOf(found)
  const changed = cells.filter(([, cell], i) => JSON.stringify(cell) !== JSON.stringify(now[i]))
  if (changed.length === 0) return true
  const names = changed.map(([name]) => name).join(', ')
  throw new UserError(`the type of a column has changed, and would change its value: ${names}`)
}

/** Without a primary key, several rows may have the same values: any of them will do, and only one. */
function oneOf({ dialect }: Db, table: Table, where: SQL): SQL {
  if (table.primaryKey.length > 0) return where
  const id = sql.identifier(dialect.rowIdOf(table).name)
  return sql`${id} = (select ${id} from ${tableName(table)} where ${where} limit 1)`
}
