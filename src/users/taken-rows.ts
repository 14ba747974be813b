import type { Cell } from '../db/dialect.ts'
import { groupBy } from '../db/group-by.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveHeader, ArchiveLine, DeletedLine } from './archive.ts'
import { type ArchivedReference, identitiesOf, referencesAmong } from './archived-references.ts'
import type { ArchivedRows } from './archived-rows.ts'
import { looseKey } from './key-map.ts'
import { keyText } from './ownership.ts'

/** What keeps a row from coming back. */
export interface Obstacle {
  /** `own`: its key has another row. `taken`: what it refers to has; `absent`: what it refers to does not come back. */
  readonly kind: 'own' | 'taken' | 'absent'
  /** Of that row. */
  readonly table: string
  readonly columns: readonly string[]
}

/**
 * Archived rows whose key another row has by now, and all that refer to these, over any number of steps: put back, they
 * would belong to somebody else. Remembers the former from batch to batch. Keys that differ in case only count as one:
 * for the database they may be.
 */
export class TakenRows {
  private readonly header: ArchiveHeader
  private readonly rows: ArchivedRows
  private readonly references: ReadonlyMap<string, readonly ArchivedReference[]>
  private readonly identities: ReadonlyMap<string, readonly (readonly string[])[]>
  private readonly taken = new Set<string>()
  private readonly users = new Set<string>()
  /** Of the batch at hand. */
  private readonly absent = new Set<string>()

  constructor(site: Site, header: ArchiveHeader, rows: ArchivedRows) {
    this.header = header
    this.rows = rows
    const references = referencesAmong(site, header)
    this.references = groupBy(references, ({ table }) => table)
    this.identities = identitiesOf(site, header, references)
  }

  /** Returns the references of the table to rows of the archive. */
  referencesOf(table: string): readonly ArchivedReference[] {
    return this.references.get(table) ?? []
  }

  /** Returns the sets of columns that make out a row of the table. */
  identitiesOf(table: string): readonly (readonly string[])[] {
    return this.identities.get(table) ?? []
  }

  /** True when somebody else has the key of this archived user. */
  hasUser(key: string): boolean {
    return this.users.has(key)
  }

  /** Notes that another row has the key of this one. */
  add(line: DeletedLine): void {
    this.addPlaces(this.taken, line)
    if (this.rows.tableNameOf(line) !== this.header.users) return
    this.users.add(keyText(this.rows.cellsOf(line).get(this.header.user_key) ?? null))
  }

  /** Notes that the row does not come back with this batch. */
  leaveOut(line: DeletedLine): void {
    this.addPlaces(this.absent, line)
  }

  /**
   * Of a batch that begins: leaves out whatever refers to a row that is taken, and what refers to that. One that is
   * there, with the same key and the same owner's key, is the other owner's.
   */
  spread(lines: readonly ArchiveLine[], there: ReadonlySet<ArchiveLine>): void {
    this.absent.clear()
    if (this.taken.size === 0) return
    for (let before = -1; before < this.taken.size + this.absent.size; ) {
      before = this.taken.size + this.absent.size
      for (const line of lines) {
        if ('d' in line && this.metBy(line)) this.addPlaces(there.has(line) ? this.taken : this.absent, line)
      }
    }
  }

  /** Returns what keeps the row out, or what was cleared in it from being put back; undefined when nothing does. */
  metBy(line: ArchiveLine): Obstacle | undefined {
    if (this.taken.size + this.absent.size === 0) return undefined
    const table = this.rows.tableNameOf(line)
    const cells = this.rows.cellsOf(line)
    const own = this.identitiesOf(table).find((columns) =>
      this.taken.has(place(table, columns, cells, columns) ?? ''),
    )
    if (own) return { kind: 'own', table, columns: own }
    for (const reference of this.referencesOf(table)) {
      const kind = 'd' in line && reference.optional ? undefined : this.kindOf(reference, cells)
      if (kind) return { kind, table: reference.references, columns: reference.referenced }
    }
    return undefined
  }

  /** Returns the references without which the row can come back, and has to. */
  lostBy(line: DeletedLine): ArchivedReference[] {
    if (this.taken.size + this.absent.size === 0) return []
    const cells = this.rows.cellsOf(line)
    return this.referencesOf(this.rows.tableNameOf(line)).filter(
      (reference) => reference.optional && this.kindOf(reference, cells) !== undefined,
    )
  }

  private kindOf(
    { references, referenced, columns }: ArchivedReference,
    cells: ReadonlyMap<string, Cell>,
  ): 'taken' | 'absent' | undefined {
    const found = place(references, referenced, cells, columns) ?? ''
    if (this.taken.has(found)) return 'taken'
    return this.absent.has(found) ? 'absent' : undefined
  }

  private addPlaces(places: Set<string>, line: DeletedLine): void {
    const table = this.rows.tableNameOf(line)
    const cells = this.rows.cellsOf(line)
    for (const columns of this.identitiesOf(table)) {
      const found = place(table, columns, cells, columns)
      if (found !== undefined) places.add(found)
    }
  }
}

/**
 * Returns a text that stands for the row of the table with the values of `own` in these columns; undefined when one is
 * NULL, which means no row.
 */
function place(
  table: string,
  columns: readonly string[],
  cells: ReadonlyMap<string, Cell>,
  own: readonly string[],
): string | undefined {
  const values = own.map((name) => cells.get(name) ?? null)
  return values.includes(null) ? undefined : JSON.stringify([table, columns, looseKey(values)])
}
