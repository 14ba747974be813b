import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import { columnList, tableName } from '../db/identifiers.ts'
import type { Site } from '../site/site.ts'
import { fillColumns } from './fill-columns.ts'

export interface InsertedRow {
  /** The value of the column asked for, in the database's own text form. */
  readonly key: string
  /** Columns that got the empty text because nobody gave them anything. */
  readonly leftEmpty: readonly string[]
}

/** Inserts a row of the values and of what `fillColumns` adds to them, or throws what that throws. */
export async function insertRow(
  { db, shape }: Site,
  table: Table,
  values: ReadonlyMap<string, SQL>,
  key: string,
): Promise<InsertedRow> {
  const filled = fillColumns(shape.catalog, table, new Set(values.keys()), db.dialect)
  const all = [...values, ...[...filled].map(([name, value]) => [name, sql`${value}`] as const)]
  const [row] = await db.rows<{ key: string }>(sql`
    insert into ${tableName(table)} (${columnList(all.map(([name]) => name))})
    values (${sql.join(
      all.map(([, value]) => value),
      sql`, `,
    )})
    returning cast(${sql.identifier(key)} as text) as key`)
  if (!row) throw new Error(`the insert into ${table.label} returned nothing`)
  return { key: row.key, leftEmpty: [...filled].flatMap(([name, value]) => (value === '' ? [name] : [])) }
}
