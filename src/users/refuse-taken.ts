import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/port.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'

/** Returns whether somebody has the username, compared without case as allauth does at sign-up. */
export async function isUsernameTaken({ db, tables: { users } }: Site, username: string): Promise<boolean> {
  return users.username !== undefined && holds(db, sql`${users}`, sql`${users.username}`, username)
}

/** Returns whether somebody has the address: as the user's own, or as any of allauth's, verified or not. */
async function isEmailTaken({ db, tables }: Site, email: string): Promise<boolean> {
  const { users, emailAddresses } = tables
  if (await holds(db, sql`${emailAddresses}`, sql`${emailAddresses.email}`, email)) return true
  return users.email !== undefined && holds(db, sql`${users}`, sql`${users.email}`, email)
}

/** Throws a UserError when somebody has the username or the address; what is not given is free. */
export async function refuseTaken(
  site: Site,
  { username, email }: { username?: string | undefined; email?: string | undefined },
): Promise<void> {
  if (username !== undefined && (await isUsernameTaken(site, username))) {
    throw new UserError(`the username ${username} is taken`, {
      hint: 'upper and lower case count as the same',
    })
  }
  if (email !== undefined && (await isEmailTaken(site, email))) {
    throw new UserError(`the address ${email} is taken`, {
      hint: 'unverified and secondary addresses count as well; upper and lower case as the same',
    })
  }
}

async function holds(db: Db, table: SQL, column: SQL, text: string): Promise<boolean> {
  const { foldCase } = db.dialect
  const same = sql`${foldCase(column)} = ${foldCase(sql`${text}`)}`
  // A database with locale C folds ASCII only; for the rest, JavaScript looks through what is as long.
  const similar = /^\p{ASCII}*$/u.test(text) ? same : sql`${same} or length(${column}) = ${[...text].length}`
  const rows = await db.rows<{ value: string }>(sql`select ${column} as value from ${table} where ${similar}`)
  return rows.some(({ value }) => similar === same || value.toLowerCase() === text.toLowerCase())
}
