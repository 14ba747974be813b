import { createHash } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import type { Cell } from '../db/dialect.ts'
import { tableName } from '../db/identifiers.ts'
import { cellsOf, type ImageRow } from '../db/image.ts'
import type { Db } from '../db/port.ts'
import type { Site } from '../site/site.ts'
import { ADDRESS_USER } from '../site/site-names.ts'

/** 128 bits: two states of one user do not meet by chance. */
const LENGTH = 22

/**
 * Returns a short text for each user that changes with every value of the user's row and address rows, by key, save a
 * reference to another user. Whoever is not there has none.
 */
export async function fingerprints(
  { db, shape }: Site,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const { users, userKey, emailAddresses, catalog } = shape
  const inside = catalog.foreignKeys.filter(
    ({ table, references }) => table === users && references === users,
  )
  const referenced = inside.flatMap(({ referencedColumns }) => referencedColumns)
  const cleared = new Set(inside.flatMap(({ clears }) => clears).filter((name) => !referenced.includes(name)))
  const rowsAt = (table: Table, column: string, type: string) => {
    // The purge itself clears what users refer to each other with: nobody has changed then.
    const columns = table.columns.filter(({ name }) => table !== users || !cleared.has(name))
    return imagesBy(db, { ...table, columns }, column, type, keys)
  }
  const userRows = await rowsAt(users, userKey.name, userKey.type)
  const addressRows = await rowsAt(emailAddresses, ADDRESS_USER, userKey.type)
  return new Map(
    [...userRows].map(([key, row]) => [key, digest([...row, ...(addressRows.get(key) ?? []).sort(byText)])]),
  )
}

type Row = readonly Cell[]

async function imagesBy(
  db: Db,
  table: Table,
  column: string,
  type: string,
  keys: readonly string[],
): Promise<Map<string, Row[]>> {
  const key = sql.identifier(column)
  const found = await db.rows<ImageRow & { usermgmt_key: string }>(sql`
    select cast(${key} as text) as usermgmt_key, ${db.dialect.image(table.columns)} as image from ${tableName(table)}
    where ${db.dialect.keyAmong(sql`${key}`, type, keys)}`)
  const images = new Map<string, Row[]>()
  for (const row of found) {
    images.set(row.usermgmt_key, [...(images.get(row.usermgmt_key) ?? []), cellsOf(row)])
  }
  return images
}

function digest(rows: readonly Row[]): string {
  return createHash('sha256').update(JSON.stringify(rows)).digest('base64url').slice(0, LENGTH)
}

/** No order is certain without one, and a primary key may be anything. */
function byText(a: Row, b: Row): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}
