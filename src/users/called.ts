import { type SQL, sql } from 'drizzle-orm'
import type { Site } from '../site/site.ts'
import { isAny } from './is-any.ts'
import { isOfUser } from './of-user.ts'
import { spellings } from './spellings.ts'

/**
 * Returns the condition that a user has one of these as id, username or any address, compared without case; `alsoOf`
 * says what else about an address will do.
 */
export function isCalled(
  site: Site,
  entries: readonly string[],
  alsoOf: (email: SQL) => readonly SQL[] = () => [],
): SQL {
  const { users, emailAddresses: address } = site.tables
  const { dialect } = site.db
  const { type } = site.shape.userKey
  const names = spellings(entries)
  const keys = entries.flatMap((entry) => dialect.parseKey(entry, type) ?? [])
  const isNamed = (email: SQL) => isAny([dialect.amongNames(email, names), ...alsoOf(email)])
  return isAny([
    ...(keys.length > 0 ? [dialect.keyAmong(sql`${users.key}`, type, keys)] : []),
    ...(users.username ? [dialect.amongNames(sql`${users.username}`, names)] : []),
    ...(users.email ? [isNamed(sql`${users.email}`)] : []),
    sql`exists (select 1 from ${address}
      where ${isOfUser(site, site.shape.emailAddresses)} and ${isNamed(sql`${address.email}`)})`,
  ])
}
