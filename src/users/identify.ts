import { sql } from 'drizzle-orm'
import { invalid, UserError } from '../errors.ts'
import { type Site, shownUserKey } from '../site/site.ts'
import { isCalled } from './called.ts'
import type { Criteria } from './criteria.ts'

/**
 * Returns the key of the user meant by an id, a username or an address (compared without case).
 * Throws a UserError for one that nobody has, and for one that could mean two people: whom to delete is no guess.
 */
export async function identifyUser(site: Site, identifier: string): Promise<string> {
  const found = await usersCalled(site, identifier)
  const [key] = found
  if (key === undefined) {
    throw new UserError('this user does not exist', {
      hint: `nobody has the id, username or address ${JSON.stringify(identifier)}`,
    })
  }
  if (found.length === 1) return key
  throw ambiguous(
    identifier,
    found.map((each) => shownUserKey(site, each)),
  )
}

/** Returns the UserError for an identifier that several users answer to, of these ids. */
export function ambiguous(identifier: string, ids: readonly string[]): UserError {
  // An id that is somebody else's name means both, however it is given.
  const byId = ids.includes(identifier) ? '' : 'one of these, or '
  return new UserError(`${JSON.stringify(identifier)} could mean ${ids.length} users`, {
    hint: `their ids are ${ids.join(', ')}: give ${byId}a name or an address that only one of them has`,
  })
}

async function usersCalled(site: Site, identifier: string): Promise<string[]> {
  const { users } = site.tables
  const rows = await site.db.rows<{ key: string }>(
    sql`select cast(${users.key} as text) as key from ${users} where ${isCalled(site, [identifier])}
      order by ${users.key} limit 10`,
  )
  return rows.map((row) => row.key)
}

/**
 * Returns the criteria with the users that they name as keys of the database: with names and ids, whom both mean.
 * Throws a UserError (invalid) for an id that cannot be one here, and what `identifyUser` throws.
 */
export async function withNamedUsers(site: Site, criteria: Criteria): Promise<Criteria> {
  const { users, userIds, userKeys } = criteria.selection
  const named = [
    userIds && parsedIds(site, userIds),
    users && (await identifyUsers(site, users)),
    userKeys,
  ].filter((keys) => keys !== undefined)
  const [first, ...others] = named.map((keys) => new Set(keys))
  if (!first) return criteria
  const meant = [...first].filter((key) => others.every((keys) => keys.has(key)))
  return {
    ...criteria,
    selection: { ...criteria.selection, users: undefined, userIds: undefined, userKeys: meant },
  }
}

async function identifyUsers(site: Site, identifiers: readonly string[]): Promise<string[]> {
  const keys: string[] = []
  for (const identifier of identifiers) keys.push(await identifyUser(site, identifier))
  return keys
}

function parsedIds({ db, shape }: Site, ids: readonly string[]): string[] {
  const { type } = shape.userKey
  return ids.map((id) => {
    const key = db.dialect.parseKey(id, type)
    if (key !== undefined) return key
    throw invalid(
      `${JSON.stringify(id)} cannot be a user's id`,
      `ids of ${shape.users.label} are of type ${type}; --users-from takes one a line`,
    )
  })
}
