import { columnOf } from '../db/catalog.ts'
import { groupBy } from '../db/group-by.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveHeader } from './archive.ts'

/** Columns by which rows of one table of an archive refer to rows of another, by the tables' names. */
export interface ArchivedReference {
  readonly table: string
  readonly columns: readonly string[]
  readonly references: string
  readonly referenced: readonly string[]
}

/** Returns the references that the archive has followed, and what foreign keys there are beside them. */
export function referencesAmong({ shape }: Site, { tables, edges }: ArchiveHeader): ArchivedReference[] {
  const archived = new Set(tables.map(({ name }) => name))
  const followed = edges.map(({ table, columns, references, referenced }) => ({
    table: tables[table]?.name ?? '',
    columns,
    references: tables[references]?.name ?? '',
    referenced,
  }))
  const keys = shape.catalog.foreignKeys.map(({ table, columns, references, referencedColumns }) => ({
    table: table.label,
    columns,
    references: references.label,
    referenced: referencedColumns,
  }))
  return withoutRepeats([
    ...followed,
    ...keys.filter(({ table, references }) => archived.has(table) && archived.has(references)),
  ])
}

/** Returns for each table of the archive the columns that make out a row: its key, and what others refer to. */
export function identitiesOf(
  { shape }: Site,
  { tables }: ArchiveHeader,
  references: readonly ArchivedReference[],
): Map<string, readonly (readonly string[])[]> {
  const onto = groupBy(references, (reference) => reference.references)
  return new Map(
    tables.map(({ name }) => {
      const table = shape.catalog.tables.get(name)
      const referenced = (onto.get(name) ?? []).map((reference) => reference.referenced)
      const identities = withoutRepeats([table?.primaryKey ?? [], ...referenced])
      return [
        name,
        identities.filter(
          (columns) => columns.length > 0 && (!table || columns.every((column) => columnOf(table, column))),
        ),
      ]
    }),
  )
}

function withoutRepeats<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()]
}
