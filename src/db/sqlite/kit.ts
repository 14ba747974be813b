import { customType, sqliteTable } from 'drizzle-orm/sqlite-core'
import { djangoText, type Instant, instantFromText } from '../../django/datetime.ts'
import type { Table } from '../catalog.ts'
import type { ColumnKit } from '../kit.ts'

/** Keys whose declared type has integer affinity are bound as integers; everything else as text. */
export function isIntegerType(type: string): boolean {
  return type.includes('int')
}

/** True when the declared type has text affinity (https://sqlite.org/datatype3.html#determination_of_column_affinity). */
export function isTextType(type: string): boolean {
  return !isIntegerType(type) && /char|clob|text/.test(type)
}

function key(type: string) {
  return customType<{ data: string; driverData: unknown }>({
    dataType: () => type,
    fromDriver: String,
    toDriver: (value) => (isIntegerType(type) ? BigInt(value) : value),
  })
}

const text = customType<{ data: string; driverData: unknown }>({ dataType: () => 'text', fromDriver: String })

const integer = customType<{ data: number; driverData: unknown }>({
  dataType: () => 'integer',
  fromDriver: Number,
})

const boolean = customType<{ data: boolean; driverData: unknown }>({
  dataType: () => 'bool',
  fromDriver: (value) => Number(value) === 1,
  toDriver: (value) => (value ? 1 : 0),
})

const instant = customType<{ data: Instant; driverData: unknown }>({
  dataType: () => 'datetime',
  fromDriver: (value) => instantFromText(String(value)),
  toDriver: djangoText,
})

/** Django's value formats on SQLite: text timestamps, 0 and 1, UUIDs without dashes. */
export const sqliteKit = {
  table: (table: Pick<Table, 'schema' | 'name'>, columns: object) =>
    sqliteTable(table.name, columns as never),
  key: (name: string, type: string) => key(type)(name),
  text: (name: string) => text(name),
  boolean: (name: string) => boolean(name),
  instant: (name: string) => instant(name),
  integer: (name: string) => integer(name),
} as unknown as ColumnKit
