import type { SQL } from 'drizzle-orm'
import { groupBy } from './group-by.ts'

/** What the database itself says about its tables, in the same words for every database. */

export interface Column {
  readonly name: string
  /** The declared type in lower case, as the database prints it: `integer`, `character varying(150)`, `char(32)`. */
  readonly type: string
  readonly nullable: boolean
  /** The database computes the value; it can be read but not written. */
  readonly generated: boolean
  /** The database fills the value in when an insert leaves it out (default, identity, serial, rowid). */
  readonly filled: boolean
  /** The collation, quoted, where it is not that of the type and the database tells them apart. */
  readonly collation?: string | undefined
}

export interface Table {
  /** How people name it, and the key of the catalog: `blog_post`, or `other.blog_post` off the search path. */
  readonly label: string
  readonly schema: string | undefined
  /** The schema it lies in, also where the search path finds it; undefined where there are no schemas. */
  readonly namespace: string | undefined
  readonly name: string
  readonly columns: readonly Column[]
  readonly primaryKey: readonly string[]
  /** Other tables inherit from it (PostgreSQL's INHERITS): what is said of its rows is said of theirs, too. */
  readonly extended: boolean
  /** Its rows lie in several partitions: where one lies tells it from no row of another. */
  readonly partitioned: boolean
  /** Rules (PostgreSQL's CREATE RULE) make something else of what is done to its rows. */
  readonly ruled: boolean
  /** Names of its primary key, unique and exclusion constraints that may be checked later, qualified and quoted. */
  readonly deferrableKeys: readonly string[]
  /** The leading columns of each index that covers the whole table. */
  readonly indexes: readonly (readonly string[])[]
  /** Tables that its foreign keys refer to and that do not exist, where that can be. */
  readonly missingReferences: readonly string[]
}

export type DeleteAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'

/** What a foreign key makes of the values at its ends before it compares them. */
export interface Conversion {
  readonly referring?: ((value: SQL) => SQL) | undefined
  readonly referenced?: ((value: SQL) => SQL) | undefined
}

export interface ForeignKey {
  readonly table: Table
  readonly columns: readonly string[]
  readonly references: Table
  readonly referencedColumns: readonly string[]
  /** By which a pair of columns is compared, quoted, where the two have not the same: that of the referenced one. */
  readonly collations: readonly (string | null)[]
  /** Of each pair of columns, where a comparison of some pair would make something else of its values. */
  readonly conversions?: readonly (Conversion | undefined)[] | undefined
  readonly onDelete: DeleteAction
  /** The columns that become NULL when the reference goes: those that ON DELETE SET NULL names, or else all. */
  readonly clears: readonly string[]
  /** Each of these can become NULL. */
  readonly nullable: boolean
  /** Some index starts with the referencing columns; without one a deletion reads the whole table. */
  readonly indexed: boolean
}

export interface Catalog {
  /** What it was made from: see `Dialect.schemaMark`. */
  readonly mark?: string | undefined
  readonly tables: ReadonlyMap<string, Table>
  readonly foreignKeys: readonly ForeignKey[]
}

/** Returns the named column of the table, or undefined when there is none. */
export function columnOf(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name)
}

/** Returns those of the columns that tell a row from others: the primary key, or without one all of them. */
export function identifyingColumns({ primaryKey }: Table, columns: readonly string[]): readonly string[] {
  return primaryKey.length > 0 ? primaryKey : columns
}

/** The flat rows that each database's catalog query delivers; assembled in one place. */
export interface CatalogRows {
  readonly columns: readonly ColumnRow[]
  readonly foreignKeys: readonly ForeignKeyRow[]
  /** The leading columns of each index that covers the whole table. */
  readonly indexes: readonly { label: string; columns: readonly string[] }[]
}

export interface ColumnRow extends Column {
  readonly label: string
  readonly schema: string | undefined
  readonly table: string
  readonly namespace?: string
  readonly extended?: boolean
  readonly partitioned?: boolean
  readonly ruled?: boolean
  readonly deferrableKeys?: readonly string[]
  /** 1, 2, … within the primary key, 0 outside. */
  readonly keyPosition: number
}

export interface ForeignKeyRow {
  readonly label: string
  readonly columns: readonly string[]
  readonly references: string
  /** Empty: the primary key of the referenced table. */
  readonly referencedColumns: readonly string[]
  readonly collations: readonly (string | null)[]
  readonly conversions?: readonly (Conversion | undefined)[] | undefined
  readonly onDelete: DeleteAction
  /** What ON DELETE SET NULL names; empty or not given: all. */
  readonly clears?: readonly string[]
}

/** Returns the catalog made of the flat rows. A foreign key to a table that does not exist is left out. */
export function assembleCatalog(rows: CatalogRows): Catalog {
  const tables = new Map<string, Table>()
  const labels = new Set(rows.columns.map((row) => row.label))
  const keys = groupBy(rows.foreignKeys, (row) => row.label)
  const indexes = groupBy(rows.indexes, (row) => row.label)
  for (const [label, columns] of groupBy(rows.columns, (row) => row.label)) {
    const [first] = columns
    if (!first) continue
    const keyed = columns.filter((row) => row.keyPosition > 0).sort((a, b) => a.keyPosition - b.keyPosition)
    tables.set(label, {
      label,
      schema: first.schema,
      namespace: first.namespace,
      name: first.table,
      columns: columns.map(({ name, type, nullable, generated, filled, collation }) => ({
        name,
        type,
        nullable,
        generated,
        filled,
        collation,
      })),
      primaryKey: keyed.map((row) => row.name),
      extended: first.extended ?? false,
      partitioned: first.partitioned ?? false,
      ruled: first.ruled ?? false,
      deferrableKeys: first.deferrableKeys ?? [],
      indexes: (indexes.get(label) ?? []).map((index) => index.columns),
      missingReferences: (keys.get(label) ?? [])
        .map((key) => key.references)
        .filter((name) => !labels.has(name)),
    })
  }
  const foreignKeys = rows.foreignKeys.flatMap((row) => {
    const table = tables.get(row.label)
    const references = tables.get(row.references)
    if (!table || !references) return []
    const clears = row.clears?.length ? row.clears : row.columns
    return {
      table,
      columns: row.columns,
      references,
      referencedColumns: row.referencedColumns.length > 0 ? row.referencedColumns : references.primaryKey,
      collations: row.collations,
      conversions: row.conversions?.some(Boolean) ? row.conversions : undefined,
      onDelete: row.onDelete,
      clears,
      nullable: clears.every((name) =>
        table.columns.some((column) => column.name === name && canBeNull(column)),
      ),
      indexed: isIndexed(table, row.columns),
    }
  })
  return { tables, foreignKeys }
}

/** True when the column can be set to NULL. */
export function canBeNull({ nullable, generated }: Column): boolean {
  return nullable && !generated
}

/** True when some index of the table starts with the columns, in any order. */
export function isIndexed({ primaryKey, indexes }: Table, columns: readonly string[]): boolean {
  return [primaryKey, ...indexes].some((index) => startsWith(index, columns))
}

function startsWith(index: readonly string[], columns: readonly string[]): boolean {
  const head = new Set(index.slice(0, columns.length))
  return head.size === columns.length && columns.every((name) => head.has(name))
}
