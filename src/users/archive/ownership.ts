import type { Cell } from '../../db/dialect.ts'
import type { ArchivedEdge, ArchiveHeader } from './header.ts'
import { KeyMap } from './key-map.ts'
import { type ArchiveLine, isDeleted, tableNumber } from './lines.ts'

/** To whom the lines of a batch belong. Found at the first question: to find it takes longer than to put the lines back. */
export class Owners {
  private readonly header: ArchiveHeader
  private readonly lines: readonly ArchiveLine[]
  private found: Ownership | undefined

  constructor(header: ArchiveHeader, lines: readonly ArchiveLine[]) {
    this.header = header
    this.lines = lines
  }

  /** Returns the key of the user to whom the line belongs; undefined when that cannot be told from its batch. */
  of(line: ArchiveLine): string | undefined {
    return this.ownership.lines.get(line)
  }

  private get ownership(): Ownership {
    this.found ??= new Ownership(this.header, this.lines)
    return this.found
  }
}

class Ownership {
  readonly lines = new Map<ArchiveLine, string>()
  private readonly header: ArchiveHeader
  /** By what refers to rows: the table and the columns in which they have the key. */
  private readonly owners = new Map<string, KeyMap<string>>()

  /** Rows of one table may hang on each other in any order. */
  constructor(header: ArchiveHeader, lines: readonly ArchiveLine[]) {
    this.header = header
    for (let known = -1; known < this.lines.size; ) {
      known = this.lines.size
      for (const line of lines) {
        const owner = this.lines.get(line) ?? this.ownerOf(line)
        if (owner !== undefined) this.lines.set(line, owner)
      }
    }
  }

  private ownerOf(line: ArchiveLine): string | undefined {
    const table = tableNumber(line)
    const cell = this.cellsOf(line)
    const isUser = isDeleted(line) && this.header.tables[table]?.name === this.header.users
    const rule = isDeleted(line) ? 'delete' : 'set-null'
    const owner = isUser ? keyText(cell(this.header.user_key)) : this.inherited(table, rule, cell)
    if (owner !== undefined && isDeleted(line)) this.remember(table, cell, owner)
    return owner
  }

  private inherited(
    table: number,
    rule: ArchivedEdge['rule'],
    cell: (column: string) => Cell,
  ): string | undefined {
    for (const edge of this.header.edges) {
      if (edge.table !== table || edge.rule !== rule) continue
      const owner = this.ownerBehind(edge, cell)
      if (owner !== undefined) return owner
    }
    return undefined
  }

  private ownerBehind(edge: ArchivedEdge, cell: (column: string) => Cell): string | undefined {
    return this.owners.get(target(edge))?.get(edge.columns.map(cell))
  }

  private remember(table: number, cell: (column: string) => Cell, owner: string): void {
    for (const edge of this.header.edges) {
      if (edge.references !== table) continue
      const owners = this.owners.get(target(edge)) ?? new KeyMap()
      owners.set(edge.referenced.map(cell), owner)
      this.owners.set(target(edge), owners)
    }
  }

  private cellsOf(line: ArchiveLine): (column: string) => Cell {
    if (!isDeleted(line)) return (column) => line.was[column] ?? null
    const columns = this.header.tables[line.d]?.columns ?? []
    return (column) => line.row[columns.indexOf(column)] ?? null
  }
}

function target({ references, referenced }: ArchivedEdge): string {
  return JSON.stringify([references, referenced])
}

/**
 * Returns a key as a cast in the database would have it, save that blobs and what is not UTF-8 stay hexadecimal:
 * characters that are replaced could make one of two keys.
 */
export function keyText(cell: Cell): string {
  return typeof cell === 'object' && cell !== null ? Object.values(cell).join('') : String(cell)
}
