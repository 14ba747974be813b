import { type SQL, sql } from 'drizzle-orm'
import { ownName } from '../db/identifiers.ts'
import type { Site } from '../site/site.ts'
import type { Criteria } from './criteria.ts'
import { withNamedUsers } from './identify.ts'
import { hasDomain, selected } from './select.ts'
import { spellings } from './spellings.ts'

/** Returns the entries of the protect list that mean nobody here. */
export async function unmatchedProtection(site: Site, entries: readonly string[]): Promise<string[]> {
  const { parseKey } = site.db.dialect
  const names = await knownNames(site, entries)
  const keys = await knownKeys(site, entries)
  const unmatched: string[] = []
  for (const entry of entries) {
    const isName = spellings([entry]).some((name) => names.has(name))
    const isKey = keys.has(parseKey(entry, site.shape.userKey.type) ?? '')
    if (!isName && !isKey && !(await isKnownDomain(site, entry))) unmatched.push(entry)
  }
  return unmatched
}

/** How many of the ids that were given, without repetitions, are users and candidates. */
export interface GivenIds {
  readonly given: number
  readonly users: number
  readonly candidates: number
}

/** Returns what became of the ids given. Throws what `withNamedUsers` throws. */
export async function countGivenIds(
  site: Site,
  ids: readonly string[],
  criteria: Criteria,
): Promise<GivenIds> {
  const asked = { ...criteria, selection: { ...criteria.selection, users: undefined, userIds: ids } }
  const { selection } = await withNamedUsers(site, asked)
  const keys = selection.userKeys ?? []
  const { users } = site.tables
  const isGiven = site.db.dialect.keyAmong(sql`${users.key}`, site.shape.userKey.type, keys)
  return {
    given: keys.length,
    users: await site.db.$count(users, isGiven),
    candidates: await site.db.$count(users, selected(site, selection)),
  }
}

const GIVEN = ownName('given')

/** The names, in all spellings, that somebody has as username or address. */
async function knownNames(site: Site, entries: readonly string[]): Promise<Set<string>> {
  const { users, emailAddresses } = site.tables
  const { foldCase, keyRows } = site.db.dialect
  const folded = (column: SQL, table: SQL) => sql`select ${foldCase(column)} from ${table}`
  const sources = [
    folded(sql`${emailAddresses.email}`, sql`${emailAddresses}`),
    ...(users.username ? [folded(sql`${users.username}`, sql`${users}`)] : []),
    ...(users.email ? [folded(sql`${users.email}`, sql`${users}`)] : []),
  ]
  const isKnown = sources.map((source) => sql`${foldCase(sql`name`)} in (${source})`)
  const rows = await site.db.rows<{
    name: string
  }>(sql`with ${GIVEN} (name) as (${keyRows('text', spellings(entries))})
    select name from ${GIVEN} where ${sql.join(isKnown, sql` or `)}`)
  return new Set(rows.map((row) => row.name))
}

async function knownKeys(site: Site, entries: readonly string[]): Promise<Set<string>> {
  const { users } = site.tables
  const { dialect } = site.db
  const { type } = site.shape.userKey
  const keys = entries.flatMap((entry) => dialect.parseKey(entry, type) ?? [])
  if (keys.length === 0) return new Set()
  const rows = await site.db.rows<{ key: string }>(
    sql`select cast(${users.key} as text) as key from ${users} where ${dialect.keyAmong(sql`${users.key}`, type, keys)}`,
  )
  return new Set(rows.map((row) => row.key))
}

async function isKnownDomain(site: Site, entry: string): Promise<boolean> {
  if (!entry.startsWith('@')) return false
  const { users, emailAddresses } = site.tables
  const at = (table: SQL, email: SQL) =>
    sql`select 1 from ${table} where ${hasDomain(site, email, entry.slice(1))}`
  const sources = [
    at(sql`${emailAddresses}`, sql`${emailAddresses.email}`),
    ...(users.email ? [at(sql`${users}`, sql`${users.email}`)] : []),
  ]
  const rows = await site.db.rows(sql`${sql.join(sources, sql` union all `)} limit 1`)
  return rows.length > 0
}
