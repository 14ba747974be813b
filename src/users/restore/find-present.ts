import { sql } from 'drizzle-orm'
import { columnOf, type Table } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import { groupBy } from '../../db/group-by.ts'
import { rowValue, tableName } from '../../db/identifiers.ts'
import { cellsOf, type ImageRow } from '../../db/image.ts'
import type { Site } from '../../site/site.ts'
import type { ArchivedReference } from '../archive/archived-references.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import { KeyMap } from '../archive/key-map.ts'
import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import { sameRow } from './same-row.ts'
import { type Cells, isEqual, type Sameness } from './same-user.ts'
import type { TakenRows } from './taken-rows.ts'

/** A reference that an archived row had. */
export interface RowReference {
  readonly line: DeletedLine
  readonly reference: ArchivedReference
}

/** What there is of a batch before any of it is put back. */
export interface PresentBatch {
  /** Rows that are there, and still the same. */
  readonly there: ReadonlySet<ArchiveLine>
  /** Those of them in which something else stands by now. */
  readonly changed: ReadonlySet<ArchiveLine>
  /** References of theirs that are NULL. */
  readonly open: readonly RowReference[]
}

/** Returns which rows of a batch are there, and notes in `taken` those whose key another one has by now. */
export async function findPresent(
  site: Site,
  rows: ArchivedRows,
  taken: TakenRows,
  lines: readonly ArchiveLine[],
): Promise<PresentBatch> {
  const search = new Search(site, rows, taken)
  const deleted = lines.filter(isDeleted)
  const byTable = [...groupBy(deleted, (line) => rows.tableOf(line))]
  // The users last: of some only their addresses tell whether they are the same.
  for (const isUsers of [false, true]) {
    for (const [table, own] of byTable) {
      if (table && (table === site.shape.users) === isUsers) await search.look(table, own)
    }
  }
  taken.spread(lines, search.there)
  return search
}

class Search implements PresentBatch {
  readonly there = new Set<ArchiveLine>()
  readonly changed = new Set<ArchiveLine>()
  readonly open: RowReference[] = []
  private readonly site: Site
  private readonly rows: ArchivedRows
  private readonly taken: TakenRows
  /** Keys of users who have an address of theirs. */
  private readonly known = new KeyMap<true>()

  constructor(site: Site, rows: ArchivedRows, taken: TakenRows) {
    this.site = site
    this.rows = rows
    this.taken = taken
  }

  async look(table: Table, lines: readonly DeletedLine[]): Promise<void> {
    for (const columns of this.taken.identitiesOf(table.label)) await this.compare(table, columns, lines)
  }

  /** Compares the rows with those that have the same values in these columns. */
  private async compare(
    table: Table,
    columns: readonly string[],
    lines: readonly DeletedLine[],
  ): Promise<void> {
    const { rows } = this
    const { db } = this.site
    const keys = rows.valuesOf(lines, columns)
    const types = columns.map((name, at) => ({ at, type: columnOf(table, name)?.type ?? '' }))
    const archivedNames = new Set(lines[0] && rows.cellsOf(lines[0]).keys())
    const known = table.columns.filter(({ name }) => archivedNames.has(name))
    const found = await db.rows<ImageRow>(sql`
      select ${db.dialect.image(known)} as image from ${tableName(table)}
      where ${rowValue(columns)} in (${db.dialect.fromImages(JSON.stringify(keys), types)})`)
    if (found.length === 0) return
    const archived = new KeyMap<DeletedLine>()
    for (const [i, line] of lines.entries()) archived.set(keys[i] ?? [], line)
    for (const row of found) {
      const there = new Map(cellsOf(row).map((cell, i) => [known[i]?.name ?? '', cell]))
      const line = archived.get(valuesOf(there, columns))
      if (line) this.note(table, line, there, columns)
    }
  }

  private note(table: Table, line: DeletedLine, there: Cells, columns: readonly string[]): void {
    const archived = this.rows.cellsOf(line)
    if (this.sameness(table, archived, there) !== 'same') this.taken.add(line, columns)
    else if (columns.join() === table.primaryKey.join()) {
      this.there.add(line)
      const open = this.openIn(line, archived, there)
      this.open.push(...open.map((reference) => ({ line, reference })))
      const filledIn = new Set(open.flatMap((reference) => reference.columns))
      // A reference that was lost in an earlier batch has been put back from there.
      const mayBeBack = this.rows.clearedColumns(line)
      const isBack = (name: string) => mayBeBack.has(name) && (archived.get(name) ?? null) === null
      const differs = (name: string) =>
        !(filledIn.has(name) || isBack(name) || isEqual(name, archived, there))
      if ([...there.keys()].some(differs)) this.changed.add(line)
      this.noteAddress(table, archived, there)
    }
  }

  private sameness(table: Table, archived: Cells, there: Cells): Sameness {
    const found = sameRow(this.site, this.rows.owningColumns(table.label), table, archived, there)
    if (found !== 'alike') return found
    const isKnown = this.taken
      .identitiesOf(table.label)
      .some((columns) => this.known.get([columns.join(), ...valuesOf(archived, columns)]))
    return isKnown ? 'same' : 'other'
  }

  /** Returns the references of the row that are NULL by now. */
  private openIn(line: DeletedLine, archived: Cells, there: Cells): ArchivedReference[] {
    return this.taken
      .referencesOf(this.rows.tableNameOf(line))
      .filter(
        ({ optional, columns }) =>
          optional && !valuesOf(archived, columns).includes(null) && valuesOf(there, columns).includes(null),
      )
  }

  private noteAddress(table: Table, archived: Cells, there: Cells): void {
    const { users, emailAddresses } = this.site.shape
    if (table !== emailAddresses || !isEqual('email', archived, there)) return
    for (const { references, referenced, columns } of this.taken.referencesOf(table.label)) {
      if (references === users.label)
        this.known.set([referenced.join(), ...valuesOf(archived, columns)], true)
    }
  }
}

function valuesOf(cells: Cells, columns: readonly string[]): Cell[] {
  return columns.map((name) => cells.get(name) ?? null)
}
