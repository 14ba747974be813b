import { sql } from 'drizzle-orm'
import type { Site } from '../site/site.ts'

/**
 * Holds off, until the transaction ends, whoever would verify, log in or write something: each of these touches one of
 * these rows.
 */
export async function lockUsers({ db, shape, tables }: Site, keys: readonly string[]): Promise<void> {
  const { users, emailAddresses: address } = tables
  const { type } = shape.userKey
  await db.dialect.lockRows(
    db,
    sql`${users}`,
    db.dialect.keyAmong(sql`${users.key}`, type, keys),
    sql`${users.key}`,
  )
  await db.dialect.lockRows(
    db,
    sql`${address}`,
    db.dialect.keyAmong(sql`${address.user}`, type, keys),
    sql`${address.id}`,
  )
}
