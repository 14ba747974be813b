import type { Catalog, ForeignKey, Table } from '../db/catalog.ts'

/** Django names the link after the parent model: `page_ptr_id`. */
const LINK = /_ptr_id$/

/**
 * True when the row and the one it refers to are two parts of one object: Django's multi-table inheritance. A
 * one-to-one field as primary key looks the same but for its name, and is no part of what it refers to.
 */
export function isParentLink({
  table,
  columns,
  references,
  referencedColumns,
  nullable,
}: ForeignKey): boolean {
  const [column = ''] = columns
  const [key = ''] = table.primaryKey
  return (
    !nullable &&
    table !== references &&
    columns.length === 1 &&
    table.primaryKey.length === 1 &&
    LINK.test(column) &&
    LINK.test(key) &&
    references.primaryKey.join() === referencedColumns.join()
  )
}

/** Returns the links of the table to its parents: more than one with multiple inheritance. */
export function parentLinks({ foreignKeys }: Catalog, table: Table): ForeignKey[] {
  return foreignKeys.filter((key) => key.table === table && isParentLink(key))
}

/** Returns the link seen from the parent, as a foreign key onto the child: whatever takes the child takes the parent. */
export function fromParent(link: ForeignKey): ForeignKey {
  return {
    table: link.references,
    columns: link.referencedColumns,
    references: link.table,
    referencedColumns: link.columns,
    collations: link.collations,
    conversions: link.conversions?.map(
      (each) => each && { referring: each.referenced, referenced: each.referring },
    ),
    onDelete: 'no action',
    clears: link.referencedColumns,
    nullable: false,
    indexed: true,
  }
}

/** Returns the user table and all that inherit from it: a row of these is a person. */
export function tablesOfPeople({ foreignKeys }: Catalog, users: Table): Set<Table> {
  const people = new Set([users])
  for (const table of people) {
    for (const key of foreignKeys) if (key.references === table && isParentLink(key)) people.add(key.table)
  }
  return people
}
