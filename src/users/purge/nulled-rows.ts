/** The rows that lost a reference: how many, or who, when a later batch may delete them. */
export type Nulled = number | readonly string[]

/**
 * Counts the rows that are left with NULL, by reference. A row that was set to NULL and is deleted in a later batch is
 * counted as deleted only: so does the plan, which knows of no batches.
 */
export class NulledRows {
  private readonly counts = new Map<string, number>()
  private readonly rows = new Map<string, Map<string, Set<string>>>()

  /** Notes that rows of the table lost this reference. */
  add(table: string, edge: string, nulled: Nulled): void {
    if (typeof nulled === 'number') {
      this.counts.set(edge, (this.counts.get(edge) ?? 0) + nulled)
      return
    }
    const edges = this.rows.get(table) ?? new Map<string, Set<string>>()
    const rows = edges.get(edge) ?? new Set()
    for (const row of nulled) rows.add(row)
    this.rows.set(table, edges.set(edge, rows))
  }

  /** Notes that rows of the table are gone. */
  remove(table: string, rows: readonly string[]): void {
    for (const left of this.rows.get(table)?.values() ?? []) {
      for (const row of rows) left.delete(row)
    }
  }

  /** Returns `table.column` → rows, those with none left out. */
  get numbers(): ReadonlyMap<string, number> {
    const named = [...this.rows.values()].flatMap((edges) => [...edges])
    const all = [...this.counts, ...named.map(([edge, rows]): [string, number] => [edge, rows.size])]
    return new Map(all.filter(([, rows]) => rows > 0))
  }
}
