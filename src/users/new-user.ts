import { columnOf, type Table } from '../db/catalog.ts'
import type { Instant } from '../django/datetime.ts'
import { emailProblem, normalizeEmail } from '../django/email.ts'
import { lengthProblem } from '../django/length-problem.ts'
import { newPasswordProblems } from '../django/password-rules.ts'
import { normalizeUsername, usernameProblem } from '../django/username.ts'
import { invalid, UserError } from '../errors.ts'
import type { Shape } from '../site/discover.ts'
import type { UserColumn } from '../site/site-names.ts'

export interface NewUser {
  /** Made from the address when it is missing and the user model has one. */
  readonly username?: string | undefined
  readonly email: string
  /** Without one, nobody logs in with a password until one is set by mail. */
  readonly password?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  readonly isStaff?: boolean | undefined
  readonly isSuperuser?: boolean | undefined
  readonly isInactive?: boolean | undefined
  /** The address counts as verified. */
  readonly verified?: boolean | undefined
  /** Names of Django's groups. */
  readonly groups?: readonly string[] | undefined
  /** Default: now. */
  readonly dateJoined?: Instant | undefined
  /** Default: never. */
  readonly lastLogin?: Instant | undefined
}

/**
 * Returns the user as Django and allauth would store it. Throws a UserError: `invalid` with Django's own words for
 * what can never be valid, `failed` for what this user model has no column for.
 */
export async function checkedUser(shape: Shape, user: NewUser): Promise<NewUser> {
  refuseWithoutColumn(shape, user)
  const checked: NewUser = {
    ...user,
    username: user.username === undefined ? undefined : normalizeUsername(user.username),
    email: normalizeEmail(user.email),
    firstName: user.firstName?.trim(),
    lastName: user.lastName?.trim(),
  }
  refuseProblems(shape, checked)
  const problems = user.password === undefined ? [] : await newPasswordProblems(user.password, checked)
  refuse('password', problems.join(' ') || undefined)
  return checked
}

/** Returns how many characters the column takes. */
export function maxLength(table: Table, column: string): number | undefined {
  const length = /\((\d+)\)/.exec(columnOf(table, column)?.type ?? '')?.[1]
  return length === undefined ? undefined : Number(length)
}

/** What is false or empty needs no column. */
function refuseWithoutColumn({ users, userColumns }: Shape, user: NewUser): void {
  const wanted: [UserColumn, unknown][] = [
    ['username', user.username],
    ['password', user.password],
    ['first_name', user.firstName],
    ['last_name', user.lastName],
    ['is_staff', user.isStaff],
    ['is_superuser', user.isSuperuser],
    ['is_active', user.isInactive],
    ['date_joined', user.dateJoined],
    ['last_login', user.lastLogin],
  ]
  const lacking = wanted
    .filter(([meaning, value]) => value && !userColumns.has(meaning))
    .map(([name]) => name)
  if (lacking.length === 0) return
  throw new UserError(`the user table ${users.label} has no column ${lacking.join(', ')}`, {
    hint: 'this user model does not know it: leave it out',
  })
}

function refuseProblems(shape: Shape, user: NewUser): void {
  if (user.username !== undefined) refuseUsername(shape, user.username)
  refuseEmail(shape, user.email)
  refuse('first name', lengthProblem(user.firstName ?? '', lengthOf(shape, 'first_name')))
  refuse('last name', lengthProblem(user.lastName ?? '', lengthOf(shape, 'last_name')))
}

/** Throws a UserError (invalid) with Django's words when no user of this site can have the username. */
export function refuseUsername(shape: Shape, username: string): void {
  refuse('username', usernameProblem(username, lengthOf(shape, 'username')))
}

/** Throws a UserError (invalid) with Django's words when no user of this site can have the address. */
export function refuseEmail(shape: Shape, email: string): void {
  const lengths = [maxLength(shape.emailAddresses, 'email'), lengthOf(shape, 'email')]
  refuse('email', emailProblem(email, Math.min(...lengths.filter((length) => length !== undefined))))
}

function lengthOf({ users, userColumns }: Shape, meaning: UserColumn): number | undefined {
  return maxLength(users, userColumns.get(meaning) ?? meaning)
}

function refuse(what: string, problem: string | undefined): void {
  if (problem !== undefined) throw invalid(`${what}: ${problem}`)
}
