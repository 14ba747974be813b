import type { Instant } from '../../src/django/datetime.ts'
import type { Site } from '../../src/site/site.ts'
import type { UserColumn } from '../../src/site/site-names.ts'
import { insertRow, type Row, type Value } from './rows.ts'

interface Address {
  readonly email: string
  readonly verified?: boolean
  readonly primary?: boolean
}

export interface NewUser {
  readonly username?: string
  readonly email?: string
  readonly lastLogin?: Instant | null
  readonly dateJoined?: Instant
  readonly isStaff?: boolean
  readonly isSuperuser?: boolean
  readonly isActive?: boolean
  readonly firstName?: string
  readonly lastName?: string
  readonly password?: string
  /** Default: one, primary and unverified. The first is primary unless it says otherwise. */
  readonly addresses?: readonly Address[]
  /** Columns by their own names, for what a user model adds. */
  readonly columns?: Row
}

let made = 0

/**
 * Inserts a user and returns the key, in the database's own text form. By default a candidate that nothing
 * guards: never logged in, joined 2019-05-01, one primary unverified address. Columns that the user table
 * does not have are left out.
 */
export async function addUser(site: Site, user: NewUser = {}): Promise<string> {
  made += 1
  const username = user.username ?? `user${made}`
  const email = user.email ?? user.addresses?.[0]?.email ?? `${username}@example.com`
  const row = { ...modelColumns(site, { ...user, username, email }), ...user.columns }
  const key = await insertRow(site.db, site.shape.users, row, site.shape.userKey.name)
  for (const [index, address] of (user.addresses ?? [{ email }]).entries()) {
    await addAddress(site, key, { primary: index === 0, ...address })
  }
  return key
}

/** Adds so many users, and returns their keys. */
export async function addUsers(site: Site, users: number): Promise<string[]> {
  const keys: string[] = []
  for (let i = 0; i < users; i++) keys.push(await addUser(site))
  return keys
}

/** Inserts an address of a user; returns its id. */
function addAddress(site: Site, userKey: string, address: Address): Promise<string> {
  const { email, verified = false, primary = false } = address
  return insertRow(site.db, site.shape.emailAddresses, { email, verified, primary, user_id: userKey })
}

function modelColumns(site: Site, user: NewUser & { username: string; email: string }): Row {
  const values: Record<UserColumn, Value> = {
    username: user.username,
    email: user.email,
    first_name: user.firstName ?? '',
    last_name: user.lastName ?? '',
    password: user.password ?? '!unusable',
    last_login: user.lastLogin ?? null,
    date_joined: user.dateJoined ?? '2019-05-01T00:00:00Z',
    is_active: user.isActive ?? true,
    is_staff: user.isStaff ?? false,
    is_superuser: user.isSuperuser ?? false,
  }
  return Object.fromEntries(
    [...site.shape.userColumns].map(([meaning, name]) => [name, values[meaning]] as const),
  )
}
