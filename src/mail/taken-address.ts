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
export function isVerifiedElsewhere(
  { db: { dialect }, tables: { emailAddresses: address } }: Site,
  email: SQL,
): SQL {
  return sql`${dialect.foldCase(email)} in (select ${dialect.foldCase(sql`taken.email`)} from ${address} taken where taken.verified)`
}

/**
 * Returns the keys of the rows that hold the address of another row, but for its case, and not in lower case: few, and
 * none where allauth has turned all addresses into lower case (0.63).
 */
export async function twinKeys({
  db,
  shape: { addressKey },
  tables: { emailAddresses: address },
}: Site): Promise<string[]> {
  const fold = (table: string) => db.dialect.foldCase(sql`${sql.identifier(table)}.email`)
  const rows = await db.rows<{
    key: string
  }>(sql`select cast(twin.${sql.identifier(addressKey.name)} as text) as key from ${address} twin
    where twin.email <> ${fold('twin')} and ${fold('twin')} in
      (select ${fold('other')} from ${address} other group by 1 having count(*) > 1)`)
  return rows.map(({ key }) => key)
}

/**
 * Returns the same condition for a few addresses: it uses the index, and sees other rows in lower case, as written
 * here, or among the twins.
 */
export function isVerifiedElsewhereNow(site: Site, email: SQL, twins: readonly string[] = []): SQL {
  const { dialect } = site.db
  const { emailAddresses: address } = site.tables
  const taken = (where: SQL) => sql`exists (select 1 from ${address} taken where taken.verified and ${where})`
  const asWritten = taken(sql`taken.email in (${email}, ${dialect.foldCase(email)})`)
  if (twins.length === 0) return asWritten
  const { name, type } = site.shape.addressKey
  const amongTwins = dialect.keyAmong(sql`taken.${sql.identifier(name)}`, type, twins)
  const sameFolded = sql`${dialect.foldCase(sql`taken.email`)} = ${dialect.foldCase(email)}`
  return sql`(${asWritten} or ${taken(sql`${amongTwins} and ${sameFolded}`)})`
}
