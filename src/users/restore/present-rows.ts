import { type SQL, sql } from 'drizzle-orm'
import { columnOf, type ForeignKey, identifyingColumns, type Table } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import { tableName } from '../../db/identifiers.ts'
import { cellsOf, type ImageRow } from '../../db/image.ts'
import type { Site } from '../../site/site.ts'
import { looseKey } from '../archive/key-map.ts'
import { sameRow } from './same-row.ts'
import { isEqual } from './same-user.ts'

/** A column's name and its value. */
export type NamedCell = readonly [name: string, cell: Cell]

/** What is in the database already, for comparing with what an archive holds. */
export class PresentRows {
  private readonly site: Site

  constructor(site: Site) {
    this.site = site
  }

  /** Tells whether the row is there, as it was or not, or another one that has the same key. */
  async standing(
    table: Table,
    cells: readonly NamedCell[],
    owning: ReadonlySet<string>,
  ): Promise<'equal' | 'changed' | 'other' | 'free'> {
    const names = cells.map(([name]) => name)
    const identifying = identifyingColumns(table, names)
    const key = cells.filter(([name]) => identifying.includes(name))
    const columns = names.map((name) => ({ name, type: columnOf(table, name)?.type ?? '' }))
    const [found] = await this.site.db.rows<ImageRow>(sql`
      select ${this.site.db.dialect.image(columns)} as image from ${tableName(table)} where ${this.matches(table, key)}`)
    if (!found) return 'free'
    const there = new Map(cellsOf(found).map((cell, i) => [names[i] ?? '', cell]))
    const archived = new Map(cells)
    if (names.every((name) => isEqual(name, archived, there))) return 'equal'
    return sameRow(this.site, owning, table, archived, there) === 'same' ? 'changed' : 'other'
  }

  /** Returns the columns of the table that refer to rows. */
  referring(table: Table): ReadonlySet<string> {
    const keys = this.site.shape.catalog.foreignKeys.filter((key) => key.table === table)
    return new Set(keys.flatMap((key) => key.columns))
  }

  /** Returns the foreign keys of the row, itself still to come, that refer to a row that is missing. */
  async missingParents(table: Table, cells: ReadonlyMap<string, Cell>): Promise<ForeignKey[]> {
    const missing: ForeignKey[] = []
    for (const key of this.site.shape.catalog.foreignKeys) {
      if (key.table !== table || key.columns.some((name) => (cells.get(name) ?? null) === null)) continue
      if (
        key.references === table &&
        rowNamed(key, 'columns', cells) === rowNamed(key, 'referencedColumns', cells)
      )
        continue
      const parent = key.referencedColumns.map(
        (name, i): NamedCell => [name, cells.get(key.columns[i] ?? '') ?? null],
      )
      const found = await this.site.db.rows(
        sql`select 1 from ${tableName(key.references)} where ${this.matches(key.references, parent)}`,
      )
      if (found.length === 0) missing.push(key)
    }
    return missing
  }

  /** Returns the condition that a row has these values. */
  matches(table: Table, cells: readonly NamedCell[]): SQL {
    return sql.join(
      cells.map(([name, cell]) => {
        const column = sql`${sql.identifier(name)}`
        const type = columnOf(table, name)?.type ?? ''
        if (cell === null) return sql`${column} is null`
        if (table.primaryKey.length > 0 || this.referring(table).has(name))
          return sql`${column} = ${this.value(table, name, cell)}`
        // Here any column may be asked for, and some types know no equality.
        return sql`${this.site.db.dialect.exactText(column, type)} = ${this.site.db.dialect.cellValue(cell, 'text')}`
      }),
      sql` and `,
    )
  }

  /** Returns the cell as a value for the column. */
  value(table: Table, name: string, cell: Cell): SQL {
    return this.site.db.dialect.cellValue(cell, columnOf(table, name)?.type ?? 'text')
  }
}

/** Returns a text that stands for the row that the foreign key refers to, seen from either end of it. */
export function rowNamed(
  key: ForeignKey,
  end: 'columns' | 'referencedColumns',
  cells: ReadonlyMap<string, Cell>,
): string {
  const values = key[end].map((name) => cells.get(name) ?? null)
  return JSON.stringify([key.references.label, key.referencedColumns, looseKey(values)])
}
