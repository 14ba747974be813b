import { type Column, columnOf, type Table } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import type { Site } from '../../site/site.ts'
import type { ArchiveHeader } from './header.ts'
import { type ArchiveLine, type DeletedLine, isDeleted, tableNumber } from './lines.ts'

/** A column that is written, and the place of its cell in an archived row. */
export interface WrittenColumn {
  readonly column: Column
  readonly at: number
}

/** What the lines of an archive mean in the database as it is now. */
export class ArchivedRows {
  private readonly header: ArchiveHeader
  private readonly tables: readonly (Table | undefined)[]
  private readonly gone: readonly (readonly string[])[]
  private readonly retyped: readonly boolean[]
  private readonly owning = new Map<string, Set<string>>()

  constructor({ shape }: Site, header: ArchiveHeader) {
    this.header = header
    this.tables = header.tables.map((table) => shape.catalog.tables.get(table.name))
    // Once for each table: there may be a million lines.
    this.gone = header.tables.map(({ columns }, i) =>
      columns.filter((name) => this.columnNow(i, name) === undefined),
    )
    for (const { rule, table, columns, references } of header.edges) {
      const name = header.tables[table]?.name ?? ''
      const onto = header.tables[references]?.name
      // Not what leads from a row to its parent of multi-table inheritance: whose that is, its own key does not say.
      const isKey = shape.catalog.foreignKeys.some(
        (key) =>
          key.table.label === name && key.references.label === onto && key.columns.join() === columns.join(),
      )
      if (rule !== 'delete' || !isKey) continue
      this.owning.set(name, new Set([...(this.owning.get(name) ?? []), ...columns]))
    }
    this.retyped = header.tables.map(({ columns, types }, i) =>
      columns.some((name, at) => {
        const now = this.columnNow(i, name)
        return now !== undefined && !now.generated && now.type !== types[at]
      }),
    )
  }

  /** Returns the table of the line, undefined when it is gone. */
  tableOf(line: ArchiveLine): Table | undefined {
    return this.tables[tableNumber(line)]
  }

  /** Returns the name of the table, also of one that is gone. */
  tableNameOf(line: ArchiveLine): string {
    return this.header.tables[tableNumber(line)]?.name ?? ''
  }

  /** Returns the columns to write: those that are still there, and that the database does not compute itself. */
  writtenColumns(line: DeletedLine): WrittenColumn[] {
    const archived = this.archivedColumns(line)
    return (this.tableOf(line)?.columns ?? []).flatMap((column) => {
      const at = archived.indexOf(column.name)
      return at === -1 || column.generated ? [] : [{ column, at }]
    })
  }

  /** Returns the names of the columns that have disappeared. */
  goneColumns(line: DeletedLine): readonly string[] {
    return this.gone[line.d] ?? []
  }

  /** Returns the names of columns that need a value, and have come since. */
  newColumns(line: DeletedLine): string[] {
    const archived = this.archivedColumns(line)
    return (this.tableOf(line)?.columns ?? [])
      .filter(
        ({ name, nullable, generated, filled }) =>
          !(archived.includes(name) || nullable || generated || filled),
      )
      .map(({ name }) => name)
  }

  /** Returns the columns by which rows of the table belong to others that are deleted. */
  owningColumns(table: string): ReadonlySet<string> {
    return this.owning.get(table) ?? new Set()
  }

  /** True when a column that is written has another type by now: it may make another value of what is archived. */
  isRetyped(line: DeletedLine): boolean {
    return this.retyped[line.d] ?? false
  }

  /** Returns the archived values by the names of their columns. */
  cellsOf(line: ArchiveLine): Map<string, Cell> {
    if (!isDeleted(line)) return new Map([...Object.entries(line.key), ...Object.entries(line.was)])
    return new Map(this.archivedColumns(line).map((name, i) => [name, line.row[i] ?? null]))
  }

  /** Returns the archived values of these columns, row by row; all rows are of one table. */
  valuesOf(lines: readonly DeletedLine[], columns: readonly string[]): Cell[][] {
    const [first] = lines
    const archived = first ? this.archivedColumns(first) : []
    const places = columns.map((name) => archived.indexOf(name))
    return lines.map(({ row }) => places.map((at) => row[at] ?? null))
  }

  /** Returns the columns of the line's table that were set to NULL where they referred to somebody deleted. */
  clearedColumns(line: ArchiveLine): ReadonlySet<string> {
    const edges = this.header.edges.filter(
      ({ rule, table }) => rule === 'set-null' && table === tableNumber(line),
    )
    return new Set(edges.flatMap(({ columns }) => columns))
  }

  private columnNow(table: number, name: string): Column | undefined {
    const now = this.tables[table]
    return now && columnOf(now, name)
  }

  private archivedColumns({ d }: DeletedLine): readonly string[] {
    return this.header.tables[d]?.columns ?? []
  }
}

/** Returns the tables of the archive that the site still has. */
export function tablesHere({ shape }: Site, { tables }: ArchiveHeader): Table[] {
  return tables.flatMap(({ name }) => shape.catalog.tables.get(name) ?? [])
}
