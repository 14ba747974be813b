import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../../db/catalog.ts'
import type { LinedRows } from '../../db/dialect.ts'
import { KeptByTrigger } from '../../db/errors.ts'
import { columnList, tableName } from '../../db/identifiers.ts'
import type { ImageRow } from '../../db/image.ts'
import { type Db, type PackedLines, ReadAgain, type ReadingAhead } from '../../db/port.ts'
import { withRecursive } from '../../db/with-recursive.ts'
import { edgesOnto, mayBeNulled, nulledWithin, refersToItself } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import { countUp } from '../../values/counts.ts'
import { COMPRESSION } from '../archive/format.ts'
import { deletedLine } from '../archive/lines.ts'
import type { Candidates } from '../candidates.ts'
import { emptyTables } from '../empty-tables.ts'
import { BatchRows } from './batch-rows.ts'
import { clearReferences } from './clear-references.ts'
import { refuseDangling } from './dangling.ts'
import { type DeletionStep, plainSteps, stepsOf } from './deletion-steps.ts'
import type { Nulled } from './nulled-rows.ts'

/** Stands where the image of a row comes. */
const IMAGE = '?'

/** A row that has been deleted, or lost a reference. */
interface ChangedRow extends ImageRow {
  /** What tells it from the others of its table; null when nobody needs to know. */
  readonly row: string | null
}

/** Rows that a batch deleted or changed, by table and by column. */
export interface Effects {
  readonly tables: Map<string, number>
  /** `columns`: as `NulledColumns` labels them. */
  readonly nulled: { readonly table: Table; readonly columns: string; readonly rows: Nulled }[]
  /** Who is gone, of tables whose rows may have been set to NULL before. */
  readonly gone: { readonly table: Table; readonly rows: readonly string[] }[]
  /** How many references of rows that are gone the database may have set to NULL before, at most. */
  nulledFirst: number
}

/** Takes the archive's lines, one or more at a time: what was there before, in the order in which it goes. */
export interface LineSink {
  add(lines: string | Uint8Array): void
  addPacked(lines: PackedLines): void
}

export interface DeleteOptions {
  /** Is handed every row as it was. */
  readonly sink?: LineSink | undefined
  /** Let another thread read the rows meanwhile, where it can. No trigger may change rows. */
  readonly readsAhead?: boolean
}

/**
 * Deletes the users with everything that hangs on them, bottom-up, within the transaction that has locked them
 * (`lockUsers`, `lockParents`). Throws the database's error when something forbids it, and ReadAgain when what was read
 * ahead is of no use; then nothing of the batch may be committed.
 */
export async function deleteUsers(
  site: Site,
  candidates: Candidates,
  keys: readonly string[],
  { sink, readsAhead }: DeleteOptions = {},
): Promise<Effects> {
  const deletion = new Deletion(new BatchRows(site, candidates, keys), sink)
  await deletion.findEmptyTables()
  if (sink) await deletion.refuseDangling(site)
  if (readsAhead) await deletion.readAhead()
  for (const group of candidates.dependents.order) await deletion.deleteGroup(group)
  await deletion.takeReadAhead()
  await site.db.dialect.checkForeignKeys(site.db)
  const gone = deletion.effects.tables.get(candidates.dependents.users.label) ?? 0
  // Such a trigger turns a deletion into something else, and says nothing.
  if (gone < keys.length) throw new KeptByTrigger()
  return deletion.effects
}

class Deletion {
  readonly effects: Effects = { tables: new Map(), nulled: [], gone: [], nulledFirst: 0 }
  private readonly db: Db
  private readonly rows: BatchRows
  private readonly candidates: Candidates
  private readonly sink: LineSink | undefined
  private empty: ReadonlySet<Table> = new Set()
  private ahead: { readonly steps: readonly DeletionStep[]; readonly reading: ReadingAhead } | undefined

  constructor(rows: BatchRows, sink: LineSink | undefined) {
    this.db = rows.db
    this.rows = rows
    this.candidates = rows.candidates
    this.sink = sink
  }

  /** To be called when the locks are held: no row may come any more under those that are going. */
  async findEmptyTables(): Promise<void> {
    const { edges } = this.candidates.dependents
    this.empty = await emptyTables(
      this.db,
      edges.filter((edge) => edge.rule !== 'keep').map((edge) => edge.table),
    )
  }

  /** Throws a BrokenReference when a row of the batch could not be put back. */
  refuseDangling(site: Site): Promise<void> {
    return refuseDangling(this.rows, site, this.empty)
  }

  /** Deletes the doomed rows of tables that nothing refers to any more, except each other. */
  async deleteGroup(group: readonly Table[]): Promise<void> {
    if (group.every((table) => this.empty.has(table))) return
    for (const table of group) await this.clearReferences(table)
    const [table] = group
    if (!table) return
    if (group.length > 1 || refersToItself(this.candidates.dependents, table)) {
      return this.deleteTogether(group)
    }
    for (const step of stepsOf(this.candidates, table)) await this.delete(step)
  }

  /** Begins to read all rows that go, where the other thread sees them as this one would. */
  async readAhead(): Promise<void> {
    const steps = this.sink && plainSteps(this.candidates, this.empty)
    const reading =
      steps &&
      (await this.db.readAhead(
        steps.map((step) => this.linedRows(step)),
        COMPRESSION,
      ))
    this.ahead = reading && { steps, reading }
  }

  /** Hands over what was read ahead. Throws ReadAgain when other rows have been deleted. */
  async takeReadAhead(): Promise<void> {
    if (!this.ahead) return
    const tables = await this.ahead.reading.packed
    for (const [i, { table }] of this.ahead.steps.entries()) {
      const packed = tables[i] ?? []
      const read = packed.reduce((sum, { lines }) => sum + lines, 0)
      if (read !== (this.effects.tables.get(table.label) ?? 0)) throw new ReadAgain()
      for (const lines of packed) this.sink?.addPacked(lines)
    }
  }

  private async clearReferences(table: Table): Promise<void> {
    const { sink } = this
    for (const edge of edgesOnto(this.candidates.dependents, table, 'set-null')) {
      if (this.empty.has(edge.table)) continue
      const take = sink && ((line: string) => sink.add(line))
      for (const [columns, rows] of await clearReferences(this.rows, edge, take)) {
        this.effects.nulled.push({ table: edge.table, columns, rows })
      }
    }
  }

  /**
   * Rows that may refer to each other: no order of single statements is right for all of them, and ON DELETE would
   * change or take along rows before they are archived.
   */
  private async deleteTogether(group: readonly Table[]): Promise<void> {
    const { dialect } = this.db
    const deletions = group.map((table) => ({
      table,
      identity: this.candidates.doomed.identityOf(table),
      rows: sql`select ${columnList(this.candidates.doomed.identityOf(table))} from ${this.candidates.doomed.nameOf(table)}`,
      returning: this.returning(table),
    }))
    const gone = await dialect.deleteTogether<ChangedRow>(this.db, this.rows.definitions(group), deletions)
    for (const [i, table] of group.entries()) {
      const rows = gone[i] ?? []
      this.effects.nulledFirst += rows.length * nulledWithin(this.candidates.dependents, group, table).length
      this.gone(table, rows)
    }
  }

  private async delete(step: DeletionStep): Promise<void> {
    const { table } = step
    const { definitions, condition } = this.rows.which(step)
    const deletion = sql`${withRecursive(definitions)}delete from ${tableName(table)} where ${condition}`
    if (mayBeNulled(this.candidates.dependents, table)) {
      return this.gone(table, await this.db.rows(sql`${deletion} returning ${this.returning(table)}`))
    }
    const { sink } = this
    const rows =
      sink && !this.ahead
        ? await this.db.dialect.deleteInLines(this.db, {
            ...this.linedRows(step),
            take: (lines) => sink.add(lines),
          })
        : await this.db.changes(deletion)
    countUp(this.effects.tables, table.label, rows)
  }

  /** The rows of a step as lines of the archive. */
  private linedRows(step: DeletionStep): LinedRows {
    const { table } = step
    const [before = '', after = ''] = deletedLine(this.rows.numberOf(table), IMAGE).split(IMAGE)
    return {
      keys: this.rows.keys,
      table,
      which: (keys) => this.rows.which(step, keys),
      line: { before, columns: table.columns, after },
    }
  }

  private returning(table: Table): SQL {
    const image = this.sink ? this.db.dialect.image(table.columns) : sql`cast(null as text)`
    const row = mayBeNulled(this.candidates.dependents, table)
      ? this.rows.identity(table)
      : sql`cast(null as text)`
    return sql`${image} as image, ${row} as row`
  }

  private gone(table: Table, rows: readonly ChangedRow[]): void {
    countUp(this.effects.tables, table.label, rows.length)
    if (mayBeNulled(this.candidates.dependents, table)) {
      this.effects.gone.push({ table, rows: rows.flatMap(({ row }) => row ?? []) })
    }
    for (const { image } of rows) this.sink?.add(deletedLine(this.rows.numberOf(table), image))
  }
}
