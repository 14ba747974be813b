import { columnOf, type ForeignKey } from '../../db/catalog.ts'
import { groupBy } from '../../db/group-by.ts'
import type { Site } from '../../site/site.ts'
import type { ArchiveHeader } from './header.ts'

/** Columns by which rows of one table of an archive refer to rows of another, by the tables' names. */
export interface ArchivedReference {
  readonly table: string
  readonly columns: readonly string[]
  readonly references: string
  readonly referenced: readonly string[]
  /** The columns that are NULL in a row that goes without. */
  readonly clears: readonly string[]
  /** The purge was to set it to NULL, and let the row be: it can be there without. */
  readonly optional: boolean
}

type NamedKey = Omit<ArchivedReference, 'clears' | 'optional'>

/** Returns the references that the archive has followed, and what foreign keys there are beside them. */
export function referencesAmong({ shape }: Site, { tables, edges }: ArchiveHeader): ArchivedReference[] {
  const { foreignKeys } = shape.catalog
  const archived = new Set(tables.map(({ name }) => name))
  const followed = edges.map(({ rule, table, columns, references, referenced }) => ({
    table: tables[table]?.name ?? '',
    columns,
    references: tables[references]?.name ?? '',
    referenced,
    rule,
  }))
  const keys = foreignKeys.map(named).filter((key) => archived.has(key.table) && archived.has(key.references))
  const owning = followed.filter(({ rule }) => rule === 'delete')
  const isOptional = (reference: NamedKey, clears: readonly string[]) =>
    followed.some((each) => each.rule === 'set-null' && isSame(each, reference)) &&
    // What the row belongs to its owner by cannot be left out of it.
    !owning.some(({ table, columns }) => table === reference.table && overlap(columns, clears)) &&
    !overlap(shape.catalog.tables.get(reference.table)?.primaryKey ?? [], clears)
  const all = [...followed.map(({ rule: _, ...reference }) => reference), ...keys]
  return withoutRepeats(all).map((reference) => {
    const now = foreignKeys.find((key) => key.nullable && isSame(named(key), reference))
    const clears = now?.clears ?? reference.columns
    return { ...reference, clears, optional: now !== undefined && isOptional(reference, clears) }
  })
}

/** True when both are the same foreign key, whatever they are called. */
export function isSame(a: NamedKey, b: NamedKey): boolean {
  return (
    a.table === b.table &&
    a.references === b.references &&
    a.columns.join() === b.columns.join() &&
    a.referenced.join() === b.referenced.join()
  )
}

/** Returns the foreign key as an archive names it. */
export function named({ table, columns, references, referencedColumns }: ForeignKey) {
  return { table: table.label, columns, references: references.label, referenced: referencedColumns }
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

function overlap(some: readonly string[], others: readonly string[]): boolean {
  return some.some((name) => others.includes(name))
}

function withoutRepeats<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()]
}
