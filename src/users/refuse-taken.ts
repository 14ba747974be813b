import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/port.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'

/** Returns whether somebody has the username, compared without case as allauth does at sign-up. */
export async function isUsernameTaken(
  tx: Db,
  { tables: { users } }: Site,
  username: string,
): Promise<boolean> {
  return users.username !== undefined && holds(tx, sql`${users}`, sql`${users.username}`, username)
}

/** Returns whether somebody has the address: as the user's own, or as any of allauth's, verified or not. */
async function isEmailTaken(tx: Db, { tables }: Site, email: string): Promise<boolean> {
  const { users, emailAddresses } = tables
  if (await holds(tx, sql`${emailAddresses}`, sql`${emailAddresses.email}`, email)) return true
  return users.email !== undefined && holds(tx, sql`${users}`, sql`${users.email}`, email)
}

/** Throws a UserError when somebody has the username or the address; what is not given is free. */
export async function refuseTaken(
  tx: Db,
  site: Site,
  { username, email }: { username?: string | undefined; email?: string | undefined },
): Promise<void> {
  if (username !== undefined && (await isUsernameTaken(tx, site, username))) {
    throw new UserError(`the username ${username} is taken`, {
      hint: 'upper and lower case count as the same',
    })
  }
  if (email !== undefined && (await isEmailTaken(tx, site, email))) {
    throw new UserError(`the address ${email} is taken`, {
      hint: 'unverified and secondary addresses count as well; upper and lower case as the same',
    })
  }
}

async function holds(tx: Db, table: SQL, column: SQL, text: string): Promise<boolean> {
  const { foldCase } = tx.dialect
  const same = sql`${foldCase(column)} = ${foldCase(sql`${text}`)}`
  // A database with locale C folds ASCII only; for the rest, JavaScript looks through what is as long.
  const similar = /^\p{ASCII}*$/u.test(text) ? same : sql`${same} or length(${column}) = ${[...text].length}`
  const rows = await tx.rows<{ value: string }>(sql`select ${column} as value from ${table} where ${similar}`)
  return rows.some(({ value }) => similar === same || value.toLowerCase() === text.toLowerCase())
}
