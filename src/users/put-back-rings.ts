import { sql } from 'drizzle-orm'
import type { ForeignKey, Table } from '../db/catalog.ts'
import type { Cell } from '../db/dialect.ts'
import { tableName } from '../db/identifiers.ts'
import type { ArchiveLine, DeletedLine } from './archive.ts'
import { type NamedCell, type PresentRows, rowNamed } from './present-rows.ts'
import type { LineRestoration, PuttingBack } from './put-back-line.ts'

/** A row that waits for rows that it refers to. */
interface WaitingRow {
  readonly line: DeletedLine
  readonly table: Table
  readonly cells: ReadonlyMap<string, Cell>
  readonly missing: readonly ForeignKey[]
}

/** Puts back rows that refer to each other in a ring: none of them can come first as it was. */
export class RingRestoration {
  private readonly work: PuttingBack
  private readonly present: PresentRows
  private readonly single: LineRestoration
  /** Rows that are in, with NULL where something was missing. */
  private readonly open: WaitingRow[] = []

  constructor(work: PuttingBack, present: PresentRows, single: LineRestoration) {
    this.work = work
    this.present = present
    this.single = single
  }

  /** Puts rows back with NULL where they wait for one of the others, and these references when all are there. */
  async putBack(lines: readonly ArchiveLine[]): Promise<void> {
    let waiting = lines
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length
      waiting = await this.putBackSome(waiting)
    }
    for (const row of await this.rowsOf(waiting)) this.fail(row)
    for (const row of this.open) if (!(await this.close(row))) this.fail(row)
  }

  /** Returns the lines that wait for the next round. */
  private async putBackSome(lines: readonly ArchiveLine[]): Promise<ArchiveLine[]> {
    const left: ArchiveLine[] = []
    const hopeful = withParentsAmong(await this.rowsOf(lines))
    for (const line of lines) {
      const [row] = await this.rowsOf([line])
      if (row && hopeful.has(row.line) && row.missing.every((key) => key.nullable)) await this.insertOpen(row)
      else left.push(line)
    }
    return left
  }

  private async insertOpen(row: WaitingRow): Promise<void> {
    const columns = new Set(row.missing.flatMap((key) => key.columns))
    const names = [...row.cells.keys()]
    const isIn = await this.single.tryOne(
      row.line,
      row.line.row.map((cell, i) => (columns.has(names[i] ?? '') ? null : cell)),
    )
    if (isIn && row.missing.length > 0) this.open.push(row)
  }

  /** Returns false when a row that it refers to has not come back. */
  private async close({ table, cells, missing }: WaitingRow): Promise<boolean> {
    if ((await this.present.missingParents(table, cells)).length > 0) return false
    const { tx } = this.work
    const columns = [...new Set(missing.flatMap((key) => key.columns))]
    const set = columns.map(
      (name) => sql`${sql.identifier(name)} = ${this.present.value(table, name, cells.get(name) ?? null)}`,
    )
    const clear = columns.map((name): NamedCell => [name, null])
    const others = [...cells].filter(([name]) => !columns.includes(name) && isKey(table, name))
    await tx.run(sql`update ${tableName(table)} set ${sql.join(set, sql`, `)}
      where ${this.present.matches(table, [...others, ...clear])}`)
    return true
  }

  private async rowsOf(lines: readonly ArchiveLine[]): Promise<WaitingRow[]> {
    const { rows } = this.work
    const found: WaitingRow[] = []
    for (const line of lines) {
      const table = rows.tableOf(line)
      if (!('d' in line) || !table) continue
      const cells = rows.cellsOf(line)
      found.push({ line, table, cells, missing: await this.present.missingParents(table, cells) })
    }
    return found
  }

  private fail({ line, missing }: WaitingRow): void {
    this.single.fail(line, `a row it depends on is gone: ${missing[0]?.references.label}`)
  }
}

function isKey({ primaryKey, columns }: Table, name: string): boolean {
  return primaryKey.length > 0 ? primaryKey.includes(name) : columns.some((column) => column.name === name)
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
