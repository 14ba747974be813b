import { customType, PgSchema, pgTable } from 'drizzle-orm/pg-core'
import { type Instant, instantFromText } from '../../django/datetime.ts'
import type { Table } from '../catalog.ts'
import type { ColumnKit } from '../kit.ts'

function key(type: string) {
  return customType<{ data: string; driverData: unknown }>({ dataType: () => type, fromDriver: String })
}

const text = customType<{ data: string; driverData: unknown }>({ dataType: () => 'text', fromDriver: String })

const integer = customType<{ data: number; driverData: unknown }>({
  dataType: () => 'bigint',
  fromDriver: Number,
})

const boolean = customType<{ data: boolean; driverData: unknown }>({ dataType: () => 'boolean' })

const instant = customType<{ data: Instant; driverData: unknown }>({
  dataType: () => 'timestamptz',
  fromDriver: (value) => instantFromText(String(value)),
})

/** PostgreSQL's own types. `pgSchema('public')` throws in Drizzle, yet the search path may not have that schema. */
export const postgresKit = {
  table: (table: Pick<Table, 'schema' | 'name'>, columns: object) =>
    table.schema === undefined
      ? pgTable(table.name, columns as never)
      : new PgSchema(table.schema).table(table.name, columns as never),
  key: (name: string, type: string) => key(type)(name),
  text: (name: string) => text(name),
  boolean: (name: string) => boolean(name),
  instant: (name: string) => instant(name),
  integer: (name: string) => integer(name),
} as unknown as ColumnKit
