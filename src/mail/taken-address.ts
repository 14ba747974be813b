import { type SQL, sql } from 'drizzle-orm'
import type { Site } from '../site/site.ts'

/**
 * An address that is verified on another row can never be verified again: allauth leaves it unverified
 * (EmailAddress.can_set_verified, and a unique index on verified addresses). Current allauth compares as stored, all in
 * lower case; before 0.63 it did without case, and so do both of these.
 */

/**
 * Returns the condition that the address is verified elsewhere. For the WHERE of a query over many addresses: it reads
 * all verified ones once.
 */
export function isTaken({ db: { dialect }, tables: { emailAddresses: address } }: Site, email: SQL): SQL {
  return sql`${dialect.foldCase(email)} in (select ${dialect.foldCase(sql`taken.email`)} from ${address} taken where taken.verified)`
}

/** Returns the same condition for a few addresses: it uses the index, and sees other rows in lower case or as written here. */
export function isTakenNow({ db: { dialect }, tables: { emailAddresses: address } }: Site, email: SQL): SQL {
  return sql`exists (select 1 from ${address} taken where taken.email in (${email}, ${dialect.foldCase(email)}) and taken.verified)`
}
