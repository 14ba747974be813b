import type { Catalog, ForeignKey, Table } from '../../src/db/catalog.ts'
import type { Harness } from './databases.ts'

/** Returns the catalog of a fresh database in which the DDL has been run. */
export async function catalogOf(harness: Harness, script: string): Promise<Catalog> {
  const { db, run } = await harness.empty()
  await run(script)
  return db.dialect.catalog(db)
}

/** Returns `table(columns) -> table(columns)`, the part of a foreign key that always matters. */
export function arrow({ table, columns, references, referencedColumns }: ForeignKey): string {
  return `${table.label}(${columns}) -> ${references.label}(${referencedColumns})`
}

/** Returns the table; throws when the catalog has none of that name. */
export function tableIn(catalog: Catalog, label: string): Table {
  const table = catalog.tables.get(label)
  if (!table) throw new Error(`no ${label} among ${[...catalog.tables.keys()]}`)
  return table
}
