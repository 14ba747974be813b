import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import { tableName } from '../db/identifiers.ts'
import type { Db } from '../db/port.ts'
import type { ClearedLine } from './archive.ts'
import type { RowReference } from './find-present.ts'
import type { PresentCopies } from './present-copies.ts'
import type { PresentRows } from './present-rows.ts'
import type { PuttingBack } from './put-back-line.ts'
import { notThere, type Refusals } from './refusals.ts'

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
    const { tx, rows, tally } = this.work
    const table = rows.tableOf(line)
    if (!table) return this.refusals.fail(line, 'the table is gone')
    const was = Object.entries(line.was)
    const key = Object.entries(line.key)
    const [missing] = await this.present.missingParents(table, new Map([...key, ...was]))
    if (missing) return this.refusals.fail(line, notThere(line, missing.references.label))
    if (await this.copies.isThere(table, line, [...key, ...was])) return tally.skip()
    const set = was.map(
      ([name, cell]) => sql`${sql.identifier(name)} = ${this.present.value(table, name, cell)}`,
    )
    const clear = was.map(([name]) => sql`${sql.identifier(name)} is null`)
    const cleared = sql`${this.present.matches(table, key)} and ${sql.join(clear, sql` and `)}`
    const updated = await tx.changes(
      sql`update ${tableName(table)} set ${sql.join(set, sql`, `)} where ${oneOf(tx, table, cleared)}`,
    )
    if (updated > 0) return tally.relink(table.label)
    const same = this.present.matches(table, [...key, ...was])
    const found = await tx.rows(sql`select 1 from ${tableName(table)} where ${same}`)
    if (found.length > 0) tally.skip()
    else
      this.refusals.fail(line, 'the row that referred to the user is gone, or refers to somebody else by now')
  }

  /** Returns what there is to fill in; undefined, and notes why, when it is not there or somebody else's. */
  async clearedBy({ line, reference }: RowReference): Promise<ClearedLine | undefined> {
    const { rows, taken } = this.work
    const table = rows.tableOf(line)
    if (!table) return undefined
    const cells = rows.cellsOf(line)
    const valuesOf = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, cells.get(name) ?? null]))
    const cleared = { n: line.d, key: valuesOf(table.primaryKey), was: valuesOf(reference.columns) }
    const isLost =
      taken.metBy(cleared) || (await this.present.missingParents(table, rows.cellsOf(cleared))).length > 0
    if (!isLost) return cleared
    this.refusals.failReference(line, reference.columns)
    return undefined
  }
}

/** Without a primary key, several rows may have the same values: any of them will do, and only one. */
function oneOf({ dialect }: Db, table: Table, where: SQL): SQL {
  if (table.primaryKey.length > 0) return where
  const id = sql.identifier(dialect.rowIdOf(table).name)
  return sql`${id} = (select ${id} from ${tableName(table)} where ${where} limit 1)`
}
