import type { SQLiteColumn, SQLiteTableWithColumns } from 'drizzle-orm/sqlite-core'
import type { Instant } from '../django/datetime.ts'
import type { Table } from './catalog.ts'

/** A column builder whose value is T above the port, whatever the database stores. */
export interface ColumnOf<T> {
  readonly _: { readonly value: T }
}

/** A modelled column: what Drizzle needs to name it, bind to it and decode it. */
export type SiteColumn<T = unknown> = SQLiteColumn<{
  name: string
  tableName: string
  dataType: 'custom'
  columnType: 'SQLiteCustomColumn'
  data: T
  driverParam: unknown
  notNull: false
  hasDefault: true
  isPrimaryKey: false
  isAutoincrement: false
  hasRuntimeDefault: false
  enumValues: undefined
  baseColumn: never
  identity: undefined
  generated: undefined
}>

type Columns<B extends Record<string, ColumnOf<unknown>>> = {
  [K in keyof B]: B[K] extends ColumnOf<infer T> ? SiteColumn<T> : never
}

export type SiteTable<B extends Record<string, ColumnOf<unknown>>> = SQLiteTableWithColumns<{
  name: string
  schema: undefined
  columns: Columns<B>
  dialect: 'sqlite'
}>

/**
 * The column types of one database. Keys are text above the port, exact for every type: a bigint would be
 * rounded by JavaScript. Instants keep their microseconds.
 */
export interface ColumnKit {
  table<B extends Record<string, ColumnOf<unknown>>>(
    table: Pick<Table, 'schema' | 'name'>,
    columns: B,
  ): SiteTable<B>
  /** A key of the given database type, in the database's own text form. */
  key(name: string, type: string): ColumnOf<string>
  text(name: string): ColumnOf<string>
  boolean(name: string): ColumnOf<boolean>
  instant(name: string): ColumnOf<Instant>
  integer(name: string): ColumnOf<number>
}
