import { type ForeignKey, identifyingColumns, type Table } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import { refusalReason } from '../../db/errors.ts'
import { inSavepoint } from '../../db/savepoint.ts'
import { isSame, named } from '../archive/archived-references.ts'
import type { DeletedLine } from '../archive/lines.ts'
import { fillReference } from './fill-reference.ts'
import { type NamedCell, type PresentRows, rowNamed } from './present-rows.ts'
import type { RowRestoration } from './put-back-row.ts'
import type { PuttingBack } from './putting-back.ts'
import { notThere, type Refusals } from './refusals.ts'

/** A row that waits for rows that it refers to. */
interface WaitingRow {
  readonly line: DeletedLine
  readonly table: Table
  readonly cells: ReadonlyMap<string, Cell>
  readonly missing: readonly ForeignKey[]
}

/** Puts back rows that wait for what they refer to: for each other, in a ring, or for what does not come. */
export class RingRestoration {
  private readonly work: PuttingBack
  private readonly present: PresentRows
  private readonly refusals: Refusals
  private readonly rows: RowRestoration
  /** Rows that are in, with NULL where something was missing. */
  private readonly open: WaitingRow[] = []
  private readonly refused = new Map<DeletedLine, string>()

  constructor(work: PuttingBack, present: PresentRows, refusals: Refusals, rows: RowRestoration) {
    this.work = work
    this.present = present
    this.refusals = refusals
    this.rows = rows
  }

  /** Puts rows back with NULL where something is missing and may be, and these references when all are there. */
  async putBack(lines: readonly DeletedLine[]): Promise<void> {
    let waiting = lines
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length
      waiting = await this.putBackSome(waiting)
    }
    waiting = await this.putBackTogether(waiting)
    for (const { line, missing } of await this.rowsOf(waiting)) {
      this.refusals.fail(line, this.refused.get(line) ?? notThere(line, missing[0]?.references.label ?? ''))
    }
    for (const row of this.open) await this.close(row)
  }

  /** Returns the lines that wait for the next round. */
  private async putBackSome(lines: readonly DeletedLine[]): Promise<DeletedLine[]> {
    const left: DeletedLine[] = []
    const hopeful = withParentsAmong(await this.rowsOf(lines))
    for (const line of lines) {
      const [row] = await this.rowsOf([line])
      const mayWait = (key: ForeignKey) => this.isOptional(key) || (hopeful.has(line) && key.nullable)
      if (row?.missing.every(mayWait)) await this.insertOpen(row)
      else left.push(line)
    }
    return left
  }

  private async insertOpen(row: WaitingRow): Promise<void> {
    const columns = new Set(row.missing.flatMap((key) => key.clears))
    const isIn = await this.rows.tryOne(row.line, columns)
    if (isIn && row.missing.length > 0) this.open.push(row)
  }

  /** Fills in what has come back meanwhile. */
  private async close({ line, table, cells, missing }: WaitingRow): Promise<void> {
    const { site } = this.work
    const absent = await this.present.missingParents(table, cells)
    const identity = identifyingColumns(
      table,
      table.columns.map(({ name }) => name),
    )
    for (const key of missing) {
      if (absent.includes(key)) {
        this.refusals.failReference(line, key.clears)
        continue
      }
      const open = new Set(missing.flatMap(({ clears }) => clears))
      const others = [...cells].filter(([name]) => !open.has(name) && identity.includes(name))
      const was = key.columns.map((name): NamedCell => [name, cells.get(name) ?? null])
      if (await fillReference(site.db, this.present, { table, key: others, was })) continue
      this.refusals.failReference(line, key.clears)
    }
  }

  /** Puts back rows that have to refer to each other, all or none of them. Returns those that wait for others. */
  private async putBackTogether(lines: readonly DeletedLine[]): Promise<readonly DeletedLine[]> {
    const { site } = this.work
    let left = lines
    for (;;) {
      const ring = withParentsAmong(await this.rowsOf(left))
      if (ring.size === 0) return lines
      const refused = await inSavepoint(
        site.db,
        () => this.refusedOf([...ring]),
        ({ size }) => size === 0,
      )
      for (const [line, reason] of refused) this.refused.set(line, reason)
      if (refused.size === 0) {
        for (const line of ring) this.rows.noteBack(line)
        return lines.filter((line) => !ring.has(line))
      }
      left = left.filter((line) => !refused.has(line))
    }
  }

  /** Puts the rows in, and returns those that the database does not take, and why. */
  private async refusedOf(ring: readonly DeletedLine[]): Promise<Map<DeletedLine, string>> {
    const { site } = this.work
    const refused = new Map<DeletedLine, string>()
    for (const line of ring) {
      const reason = await inSavepoint(site.db, () => this.rows.insertOnly(line)).catch(refusalReason)
      if (reason !== undefined) refused.set(line, reason)
    }
    return refused
  }

  private isOptional(key: ForeignKey): boolean {
    return this.work.taken
      .referencesOf(key.table.label)
      .some((reference) => reference.optional && isSame(reference, named(key)))
  }

  private async rowsOf(lines: readonly DeletedLine[]): Promise<WaitingRow[]> {
    const { rows } = this.work
    const found: WaitingRow[] = []
    for (const line of lines) {
      const table = rows.tableOf(line)
      if (!table) continue
      const cells = this.rows.comingCells(line)
      found.push({ line, table, cells, missing: await this.present.missingParents(table, cells) })
    }
    return found
  }
}

/** Returns the rows all of whose missing parents are among them, and so on. */
function withParentsAmong(rows: readonly WaitingRow[]): Set<DeletedLine> {
  const keys = new Set(rows.flatMap(({ missing }) => missing))
  let left = rows
  for (let before = Number.POSITIVE_INFINITY; left.length < before; ) {
    before = left.length
    const coming = new Set(left.flatMap((row) => namesOf(row, keys)))
    left = left.filter(({ missing, cells }) =>
      missing.every((key) => coming.has(rowNamed(key, 'columns', cells))),
    )
  }
  return new Set(left.map(({ line }) => line))
}

/** Returns the names of the row for those who refer to it through these foreign keys. */
function namesOf({ table, cells }: WaitingRow, keys: ReadonlySet<ForeignKey>): string[] {
  return [...keys]
    .filter((key) => key.references === table)
    .map((key) => rowNamed(key, 'referencedColumns', cells))
}
