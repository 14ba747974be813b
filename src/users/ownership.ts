import type { Cell } from '../db/dialect.ts'
import type { ArchivedEdge, ArchiveHeader, ArchiveLine } from './archive.ts'

/** To whom the lines of a batch belong. Who never asks does not pay: it takes longer than to put them back. */
export class Owners {
  private readonly header: ArchiveHeader
  private readonly lines: readonly ArchiveLine[]
  private found: ReadonlyMap<ArchiveLine, string> | undefined

  constructor(header: ArchiveHeader, lines: readonly ArchiveLine[]) {
    this.header = header
    this.lines = lines
  }

  /** Returns the key of the user to whom the line belongs; undefined when that cannot be told from its batch. */
  of(line: ArchiveLine): string | undefined {
    this.found ??= ownersOf(this.header, this.lines)
    return this.found.get(line)
  }
}

/** Rows of one table may hang on each other in any order. */
function ownersOf(header: ArchiveHeader, lines: readonly ArchiveLine[]): Map<ArchiveLine, string> {
  const ownership = new Ownership(header)
  const owners = new Map<ArchiveLine, string>()
  for (let known = -1; known < ownership.size; ) {
    known = ownership.size
    for (const line of lines) {
      const owner = owners.get(line) ?? ownership.ownerOf(line)
      if (owner !== undefined) owners.set(line, owner)
    }
  }
  return owners
}

class Ownership {
  private readonly header: ArchiveHeader
  private readonly owners = new Map<string, string>()

  constructor(header: ArchiveHeader) {
    this.header = header
  }

  get size(): number {
    return this.owners.size
  }

  ownerOf(line: ArchiveLine): string | undefined {
    const table = 'd' in line ? line.d : line.n
    const cell = this.cellsOf(line)
    const isUser = 'd' in line && this.header.tables[table]?.name === this.header.users
    const rule = 'd' in line ? 'delete' : 'set-null'
    const owner = isUser ? keyText(cell(this.header.user_key)) : this.inherited(table, rule, cell)
    if (owner !== undefined && 'd' in line) this.remember(table, cell, owner)
    return owner
  }

  private inherited(
    table: number,
    rule: ArchivedEdge['rule'],
    cell: (column: string) => Cell,
  ): string | undefined {
    for (const edge of this.header.edges) {
      if (edge.table !== table || edge.rule !== rule) continue
      const owner = this.owners.get(place(edge, edge.columns.map(cell)))
      if (owner !== undefined) return owner
    }
    return undefined
  }

  private remember(table: number, cell: (column: string) => Cell, owner: string): void {
    for (const edge of this.header.edges) {
      if (edge.references === table) this.owners.set(place(edge, edge.referenced.map(cell)), owner)
    }
  }

  private cellsOf(line: ArchiveLine): (column: string) => Cell {
    if ('n' in line) return (column) => line.was[column] ?? null
    const columns = this.header.tables[line.d]?.columns ?? []
    return (column) => line.row[columns.indexOf(column)] ?? null
  }
}

function place(edge: ArchivedEdge, cells: readonly Cell[]): string {
  return JSON.stringify([edge.references, edge.referenced, cells])
}

/** Returns a key in the database's text form from its cell. */
export function keyText(cell: Cell): string {
  return typeof cell === 'object' && cell !== null ? Object.values(cell).join('') : String(cell)
}
