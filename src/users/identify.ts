import { sql } from 'drizzle-orm'
import { invalid, UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
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
  const ids = found.map((each) => site.db.dialect.shownKey(each, site.shape.userKey.type)).join(', ')
  throw new UserError(`${JSON.stringify(identifier)} could mean ${found.length} users`, {
    hint: `their ids are ${ids}: give a name or an address that only one of them has, or --users-from with the id`,
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
 * Returns the criteria with the users that they name as keys of the database.
 * Throws a UserError (invalid) for an id that cannot be one here, and what `identifyUser` throws.
 */
export async function withNamedUsers(site: Site, criteria: Criteria): Promise<Criteria> {
  const { users, userIds } = criteria.selection
  if (users === undefined && userIds === undefined) return criteria
  const identified: string[] = []
  for (const user of users ?? []) identified.push(await identifyUser(site, user))
  const { type } = site.shape.userKey
  const parsed = (userIds ?? []).map((id) => {
    const key = site.db.dialect.parseKey(id, type)
    if (key !== undefined) return key
    throw invalid(
      `${JSON.stringify(id)} of --users-from cannot be a user's id`,
      `ids of ${site.shape.users.label} are of type ${type}, one a line`,
    )
  })
  const selection = { ...criteria.selection, users: undefined, userIds: [...identified, ...parsed] }
  return { ...criteria, selection }
}
