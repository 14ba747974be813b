import { randomUUID } from 'node:crypto'
import { type SQL, sql } from 'drizzle-orm'
import type { Column, Table } from '../../src/db/catalog.ts'
import { tableName } from '../../src/db/identifiers.ts'
import type { Db } from '../../src/db/port.ts'
import { djangoText, instantFromText } from '../../src/django/datetime.ts'
import { dashedUuid, hexUuid } from '../../src/django/uuid.ts'

/** A value as tests write it: instants and UUIDs as text, JSON as an object, keys as text or number. */
export type Value = string | number | bigint | boolean | null | object
export type Row = Readonly<Record<string, Value>>

/** The same on every database: keys, numbers, instants, UUIDs and JSON as text, booleans as booleans. */
export type ReadRow = Record<string, string | boolean | null>

type Kind = 'boolean' | 'instant' | 'uuid' | 'number' | 'json' | 'inet' | 'date' | 'text'

const KINDS: readonly [RegExp, Kind][] = [
  [/^bool/, 'boolean'],
  [/^(datetime|timestamp)/, 'instant'],
  [/^date$/, 'date'],
  [/^(uuid|char\(32\))$/, 'uuid'],
  [/int|numeric|decimal|real|double/, 'number'],
  [/^json/, 'json'],
  [/^inet$/, 'inet'],
]

function kindOf(column: Column): Kind {
  return KINDS.find(([type]) => type.test(column.type))?.[1] ?? 'text'
}

let filled = 0

/** What a column that must not be NULL gets when the test does not care. Never the same text twice. */
function filler(column: Column): Value {
  filled += 1
  const values: Record<Kind, Value> = {
    boolean: false,
    instant: '2019-05-01T00:00:00Z',
    date: '2019-05-01',
    uuid: randomUUID(),
    number: 0,
    json: {},
    inet: '127.0.0.1',
    text: String(filled).slice(-lengthOf(column)),
  }
  return isJsonText(column) ? '{}' : values[kindOf(column)]
}

function lengthOf(column: Column): number {
  return Number(/\((\d+)\)/.exec(column.type)?.[1] ?? 40)
}

/** Django's JSONField is plain text on SQLite, with a CHECK that it is JSON. */
function isJsonText(column: Column): boolean {
  return column.type === 'text' && /^(data|extra_data|settings|provider_ids)$/.test(column.name)
}

/** Returns the row with every column that the table insists on. */
function completed(table: Table, row: Row): Row {
  const missing = table.columns.filter(
    (column) => !(column.name in row) && !column.nullable && !column.filled && !column.generated,
  )
  return { ...row, ...Object.fromEntries(missing.map((column) => [column.name, filler(column)])) }
}

/** Returns the value as this database stores what Django would write. */
function bound(db: Db, column: Column, value: Value): SQL {
  if (value === null) return sql`null`
  if (typeof value === 'object') return sql`${JSON.stringify(value)}`
  if (db.dialect.name === 'postgres') return sql`${typeof value === 'bigint' ? value.toString() : value}`
  if (typeof value === 'boolean') return sql`${value ? 1 : 0}`
  if (kindOf(column) === 'instant') return sql`${djangoText(String(value))}`
  if (kindOf(column) === 'uuid') return sql`${hexUuid(String(value)) ?? value}`
  return sql`${value}`
}

/** Inserts the row, completed; returns one column of it (its key) in the database's own text form. */
export async function insertRow(db: Db, table: Table, row: Row, key = keyOf(table)): Promise<string> {
  const entries = Object.entries(completed(table, row))
  const values = entries.map(([name, value]) => {
    const column = table.columns.find((one) => one.name === name)
    if (!column) throw new Error(`${table.label} has no column ${name}`)
    return bound(db, column, value)
  })
  const [inserted] = await db.rows<{ key: unknown }>(sql`
    insert into ${tableName(table)} (${sql.join(
      entries.map(([name]) => sql.identifier(name)),
      sql`, `,
    )}) values (${sql.join(values, sql`, `)}) returning ${sql.identifier(key)} as key`)
  return String(inserted?.key)
}

function keyOf(table: Table): string {
  return table.primaryKey[0] ?? table.columns[0]?.name ?? ''
}

/** Returns all rows of the table, in the order of its key. */
export async function readRows(db: Db, table: Table): Promise<ReadRow[]> {
  const columns = table.columns.map(
    ({ name, type }) =>
      sql`${db.dialect.exactText(sql`${sql.identifier(name)}`, type)} as ${sql.identifier(name)}`,
  )
  const order = table.primaryKey.length > 0 ? table.primaryKey : table.columns.map((column) => column.name)
  const rows = await db.rows<Record<string, unknown>>(sql`
    select ${sql.join(columns, sql`, `)} from ${tableName(table)} t
    order by ${sql.join(
      order.map((name) => sql`t.${sql.identifier(name)}`),
      sql`, `,
    )}`)
  return rows.map((row) =>
    Object.fromEntries(table.columns.map((column) => [column.name, shown(column, row[column.name])])),
  )
}

function shown(column: Column, value: unknown): string | boolean | null {
  if (value === null || value === undefined) return null
  const text = String(value)
  const kind = kindOf(column)
  if (kind === 'boolean') return text === 'true' || text === '1'
  if (kind === 'instant') return instantFromText(text)
  if (kind === 'uuid') return dashedUuid(text) ?? text
  return text
}
