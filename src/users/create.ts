import { type SQL, sql } from 'drizzle-orm'
import { databaseFault } from '../db/errors.ts'
import { instantOf } from '../django/datetime.ts'
import { usernameCandidates, usernameFrom } from '../django/free-username.ts'
import { hashPassword, unusablePassword } from '../django/password.ts'
import { UserError } from '../errors.ts'
import { inTransaction, type Site, shownUserKey } from '../site/site.ts'
import { ADDRESS_USER, type UserColumn } from '../site/site-names.ts'
import { joinGroups } from './groups.ts'
import { type InsertedRow, insertRow } from './insert-row.ts'
import { checkedUser, maxLength, type NewUser } from './new-user.ts'
import { isUsernameTaken, refuseTaken } from './refuse-taken.ts'

export interface CreatedUser {
  /** As it is shown: a UUID has dashes. */
  readonly id: string
  /** Undefined when the user model has none. */
  readonly username: string | undefined
  readonly email: string
  /** Columns of the user model that got the empty text: nobody gave them anything, and they must not be NULL. */
  readonly leftEmpty: readonly string[]
}

/**
 * Creates the user with a primary address, as Django and allauth would write them, in one transaction.
 * Throws a UserError: `invalid` for a value that can never be valid, `failed` for a username or address that is taken,
 * a group that does not exist, or a column that nothing is known about.
 */
export async function createUser(site: Site, given: NewUser, now = new Date()): Promise<CreatedUser> {
  const user = await checkedUser(site.shape, given)
  // Slow by design, so not while others wait for the transaction.
  const password = user.password === undefined ? unusablePassword() : await hashPassword(user.password)
  try {
    return await inTransaction(site, 'write', (here) =>
      insertUser(here, { ...user, dateJoined: user.dateJoined ?? instantOf(now) }, password),
    )
  } catch (error) {
    // The site itself may have been faster; its constraint says so in fewer words.
    if (databaseFault(error) === 'constraint') await refuseTaken(site, user)
    throw error
  }
}

async function insertUser(site: Site, user: NewUser, password: string): Promise<CreatedUser> {
  const { db, shape } = site
  // Not every site has a constraint on addresses; two runs of ours must not need one.
  await db.dialect.oneAtATime(db)
  await refuseTaken(site, user)
  const username = user.username ?? (await freeUsername(site, user.email))
  const values = userValues(site, { ...user, username }, password)
  const { key, leftEmpty } = await insertRow(site, shape.users, values, shape.userKey.name)
  await insertAddress(site, key, user)
  await joinGroups(site, key, user.groups ?? [])
  return { id: shownUserKey(site, key), username, email: user.email, leftEmpty }
}

/** Returns a username that allauth would make of the address; undefined when the user model has none. */
async function freeUsername(site: Site, email: string): Promise<string | undefined> {
  const column = site.shape.userColumns.get('username')
  if (column === undefined) return undefined
  const length = maxLength(site.shape.users, column)
  for (const candidate of usernameCandidates(usernameFrom([email], length), { maxLength: length })) {
    if (!(await isUsernameTaken(site, candidate))) return candidate
  }
  throw new UserError(`no username like the address ${email} is free`, { hint: 'give one' })
}

/** Returns what goes into the known columns that the user table has, by the name of the column. */
function userValues({ shape, tables: { users } }: Site, user: NewUser, password: string): Map<string, SQL> {
  const values: Record<UserColumn, string | boolean | undefined> = {
    username: user.username,
    email: user.email,
    first_name: user.firstName ?? '',
    last_name: user.lastName ?? '',
    password,
    last_login: user.lastLogin,
    date_joined: user.dateJoined,
    is_active: !user.isInactive,
    // As create_superuser() does: without the one, the other opens no door.
    is_staff: Boolean(user.isStaff || user.isSuperuser),
    is_superuser: Boolean(user.isSuperuser),
  }
  return new Map(
    [...shape.userColumns].flatMap(([meaning, name]) => {
      const [value, column] = [values[meaning], users[meaning]]
      return value === undefined || column === undefined ? [] : [[name, sql`${sql.param(value, column)}`]]
    }),
  )
}

function insertAddress(site: Site, key: string, user: NewUser): Promise<InsertedRow> {
  const { emailAddresses } = site.tables
  const values = new Map([
    ['email', sql`${user.email}`],
    ['verified', sql`${sql.param(user.verified ?? false, emailAddresses.verified)}`],
    ['primary', sql`${sql.param(true, emailAddresses.primary)}`],
    [ADDRESS_USER, sql`${sql.param(key, emailAddresses.user)}`],
  ])
  return insertRow(site, site.shape.emailAddresses, values, ADDRESS_USER)
}
