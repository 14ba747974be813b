import type { Cell } from '../../db/dialect.ts'
import type { ArchivedReference } from '../archive/archived-references.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import { looseKey } from '../archive/key-map.ts'
import type { ArchiveLine, DeletedLine } from '../archive/lines.ts'

type Identities = ReadonlyMap<string, readonly (readonly string[])[]>

/** Archived rows, by every set of columns that makes out a row: its key, and what others refer to. */
export class RowSet {
  private readonly rows: ArchivedRows
  private readonly identities: Identities
  private readonly places = new Set<string>()
  private readonly loose = new Set<string>()

  constructor(rows: ArchivedRows, identities: Identities) {
    this.rows = rows
    this.identities = identities
  }

  get size(): number {
    return this.places.size
  }

  clear(): void {
    this.places.clear()
    this.loose.clear()
  }

  add(line: DeletedLine): void {
    const table = this.rows.tableNameOf(line)
    const cells = this.rows.cellsOf(line)
    for (const columns of this.identities.get(table) ?? []) {
      const values = valuesOf(cells, columns)
      if (!values) continue
      this.places.add(place(table, columns, JSON.stringify(values)))
      this.loose.add(place(table, columns, looseKey(values)))
    }
  }

  /** Returns the columns by which the line's own row is in the set; undefined when it is not. */
  own(line: ArchiveLine): readonly string[] | undefined {
    if (this.size === 0) return undefined
    const table = this.rows.tableNameOf(line)
    const cells = this.rows.cellsOf(line)
    return this.identities.get(table)?.find((columns) => {
      const values = valuesOf(cells, columns)
      return values !== undefined && this.places.has(place(table, columns, JSON.stringify(values)))
    })
  }

  /** Returns whether the cells refer to one of the rows; `loosely`: with a key that a database may take for its own. */
  refersTo(
    { references, referenced, columns }: ArchivedReference,
    cells: ReadonlyMap<string, Cell>,
  ): 'exactly' | 'loosely' | undefined {
    const values = this.size === 0 ? undefined : valuesOf(cells, columns)
    if (!values) return undefined
    if (this.places.has(place(references, referenced, JSON.stringify(values)))) return 'exactly'
    return this.loose.has(place(references, referenced, looseKey(values))) ? 'loosely' : undefined
  }
}

/** Undefined when one is NULL, which means no row. */
function valuesOf(cells: ReadonlyMap<string, Cell>, columns: readonly string[]): Cell[] | undefined {
  const values = columns.map((name) => cells.get(name) ?? null)
  return values.includes(null) ? undefined : values
}

function place(table: string, columns: readonly string[], key: string): string {
  return JSON.stringify([table, columns, key])
}
