import { sql } from 'drizzle-orm'
import { columnOf, type Table } from '../db/catalog.ts'
import type { Cell } from '../db/dialect.ts'
import { groupBy } from '../db/group-by.ts'
import { rowValue, tableName } from '../db/identifiers.ts'
import { cellsOf, type ImageRow } from '../db/image.ts'
import type { Db } from '../db/port.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveHeader, ArchiveLine, DeletedLine } from './archive.ts'
import { type ArchivedReference, identitiesOf, referencesAmong } from './archived-references.ts'
import type { ArchivedRows } from './archived-rows.ts'
import { keyText } from './ownership.ts'
import { PresentRows } from './present-rows.ts'

/**
 * Archived rows whose key another row has by now, and all that refer to these, over any number of steps: put back, they
 * would belong to somebody else. Remembers them from batch to batch; and of the batch at hand, what is there already.
 */
export class TakenRows {
  private readonly site: Site
  private readonly header: ArchiveHeader
  private readonly rows: ArchivedRows
  private readonly references: ReadonlyMap<string, readonly ArchivedReference[]>
  private readonly identities: ReadonlyMap<string, readonly (readonly string[])[]>
  private readonly places = new Set<string>()
  private readonly users = new Set<string>()
  private readonly there = new Set<ArchiveLine>()

  constructor(site: Site, header: ArchiveHeader, rows: ArchivedRows) {
    this.site = site
    this.header = header
    this.rows = rows
    const references = referencesAmong(site, header)
    this.references = groupBy(references, ({ table }) => table)
    this.identities = identitiesOf(site, header, references)
  }

  /** True when somebody else has the key of this archived user. */
  hasUser(key: string): boolean {
    return this.users.has(key)
  }

  /** True when the row was there already when its batch was looked for, and is still the same. */
  isThere(line: ArchiveLine): boolean {
    return this.there.has(line)
  }

  /** Looks for the lines of a batch, before any of it is put back. */
  async find(tx: Db, lines: readonly ArchiveLine[]): Promise<void> {
    this.there.clear()
    const deleted = lines.filter((line): line is DeletedLine => 'd' in line)
    for (const [table, rows] of groupBy(deleted, (line) => this.rows.tableOf(line))) {
      if (!table) continue
      for (const columns of this.identities.get(table.label) ?? []) {
        await this.compare(tx, table, columns, rows)
      }
    }
    if (this.places.size > 0) this.spread(lines)
  }

  /** Notes that another row has the key of this one. */
  add(line: DeletedLine): void {
    this.addPlaces(line)
    if (this.rows.tableNameOf(line) !== this.header.users) return
    this.users.add(keyText(this.rows.cellsOf(line).get(this.header.user_key) ?? null))
  }

  /** Returns the name of the table in which the line means a row that is another one by now; undefined when none is. */
  metBy(line: ArchiveLine): string | undefined {
    if (this.places.size === 0) return undefined
    const name = this.rows.tableNameOf(line)
    const cells = this.rows.cellsOf(line)
    const isTaken = (table: string, columns: readonly string[], own: readonly string[]) =>
      this.places.has(place(table, columns, valuesOf(cells, own)) ?? '')
    const reference = this.references
      .get(name)
      ?.find(({ columns, references, referenced }) => isTaken(references, referenced, columns))
    if (reference) return reference.references
    return this.identities.get(name)?.some((columns) => isTaken(name, columns, columns)) ? name : undefined
  }

  /** Compares the rows with those that have the same values in these columns. */
  private async compare(
    tx: Db,
    table: Table,
    columns: readonly string[],
    lines: readonly DeletedLine[],
  ): Promise<void> {
    const keys = this.rows.valuesOf(lines, columns)
    const types = columns.map((name, at) => ({ at, type: columnOf(table, name)?.type ?? '' }))
    const archivedNames = new Set(lines[0] && this.rows.cellsOf(lines[0]).keys())
    const known = table.columns.filter(({ name }) => archivedNames.has(name))
    const found = await tx.rows<ImageRow>(sql`
      select ${tx.dialect.image(known)} as image from ${tableName(table)}
      where ${rowValue(columns)} in (${tx.dialect.fromImages(JSON.stringify(keys), types)})`)
    if (found.length === 0) return
    const archived = new Map(lines.map((line, i) => [place(table.label, columns, keys[i] ?? []), line]))
    const present = new PresentRows(tx, this.site)
    for (const row of found) {
      const there = new Map(cellsOf(row).map((cell, i) => [known[i]?.name ?? '', cell]))
      const line = archived.get(place(table.label, columns, valuesOf(there, columns)))
      if (!line) continue
      if (!present.isSame(table, this.rows.cellsOf(line), there)) this.add(line)
      else if (columns.join() === table.primaryKey.join()) this.there.add(line)
    }
  }

  /** Whatever refers to such a row is none that may be referred to either. */
  private spread(lines: readonly ArchiveLine[]): void {
    for (let before = -1; before < this.places.size; ) {
      before = this.places.size
      for (const line of lines) if ('d' in line && this.metBy(line) !== undefined) this.addPlaces(line)
    }
  }

  private addPlaces(line: DeletedLine): void {
    const name = this.rows.tableNameOf(line)
    const cells = this.rows.cellsOf(line)
    for (const columns of this.identities.get(name) ?? []) {
      const found = place(name, columns, valuesOf(cells, columns))
      if (found !== undefined) this.places.add(found)
    }
  }
}

function valuesOf(cells: ReadonlyMap<string, Cell>, columns: readonly string[]): Cell[] {
  return columns.map((name) => cells.get(name) ?? null)
}

/** Returns a text that stands for the row with these values; undefined when one is NULL, which means no row. */
function place(table: string, columns: readonly string[], values: readonly Cell[]): string | undefined {
  return values.includes(null) ? undefined : JSON.stringify([table, columns, values])
}
