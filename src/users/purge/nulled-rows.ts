import { countUp } from '../../values/counts.ts'

/** What tells a row that lost a reference from the others of its table; `was`: what did before, where that changes. */
export interface NulledRow {
  readonly row: string
  readonly was?: string
}

/** The rows that lost a reference: how many, or who, when a later batch may delete them. */
export type Nulled = number | readonly NulledRow[]

/**
 * Counts the rows that are left with NULL, by the columns of the reference. A row that was set to NULL and is deleted in
 * a later batch is counted as deleted only: so does the plan, which knows of no batches.
 */
export class NulledRows {
  private readonly counts = new Map<string, number>()
  private readonly rows = new Map<string, Map<string, Set<string>>>()

  /** Notes that rows of the table lost what they referred to through these columns. */
  add(table: string, columns: string, nulled: Nulled): void {
    if (typeof nulled === 'number') {
      countUp(this.counts, columns, nulled)
      return
    }
    const known = this.rows.get(table) ?? new Map<string, Set<string>>()
    const rows = known.get(columns) ?? new Set()
    this.rows.set(table, known.set(columns, rows))
    for (const { row, was } of nulled) {
      for (const others of known.values()) if (was !== undefined && others.delete(was)) others.add(row)
      rows.add(row)
    }
  }

  /** Notes that rows of the table are gone. */
  remove(table: string, rows: readonly string[]): void {
    for (const left of this.rows.get(table)?.values() ?? []) {
      for (const row of rows) left.delete(row)
    }
  }

  /** Returns `table.column` → rows, those with none left out. */
  get numbers(): ReadonlyMap<string, number> {
    const named = [...this.rows.values()].flatMap((columns) => [...columns])
    const all = [...this.counts, ...named.map(([columns, rows]): [string, number] => [columns, rows.size])]
    return new Map(all.filter(([, rows]) => rows > 0))
  }
}
