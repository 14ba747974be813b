import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

/** What the password must not resemble. An attribute that the user model lacks is left out or null. */
export type PasswordAttributes = {
  username?: string | null | undefined
  firstName?: string | null | undefined
  lastName?: string | null | undefined
  email?: string | null | undefined
}

const MIN_LENGTH = 8
const MAX_SIMILARITY = 0.7
const VERBOSE_NAMES = [
  ['username', 'username'],
  ['firstName', 'first name'],
  ['lastName', 'last name'],
  ['email', 'email address'],
] as const

const SPACE = String.raw`[\p{White_Space}\u001c-\u001f]`
const ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, 'gu')

/** Returns why nobody could log in with the password, or else what `passwordProblems` returns. Throws as that does. */
export async function newPasswordProblems(
  password: string,
  attributes: PasswordAttributes,
): Promise<string[]> {
  // allauth's PasswordField is a CharField of Django's, which strips, and refuses NUL.
  if (password !== stripped(password))
    return ['It begins or ends with white space, which login pages take away.']
  if (password.includes('\u0000')) return ['Null characters are not allowed.']
  return passwordProblems(password, attributes)
}

/** Python's str.strip(), which knows U+001C to U+001F and U+0085, and not U+FEFF; JavaScript's trim() the other way round. */
function stripped(text: string): string {
  return text.replace(ENDS, '')
}

/**
 * Returns why a default Django project would refuse the password, in Django's own sentences and order; empty if it
 * would not. The rules are the four of AUTH_PASSWORD_VALIDATORS (django/contrib/auth/password_validation.py).
 * Throws only when the list of common passwords cannot be read.
 */
export async function passwordProblems(password: string, attributes: PasswordAttributes): Promise<string[]> {
  const problems: string[] = []
  const similar = similarAttribute(password, attributes)
  if (similar) problems.push(`The password is too similar to the ${similar}.`)
  if ([...password].length < MIN_LENGTH)
    problems.push(`This password is too short. It must contain at least ${MIN_LENGTH} characters.`)
  if ((await commonPasswords()).has(stripped(password.toLowerCase())))
    problems.push('This password is too common.')
  if (isNumeric(password)) problems.push('This password is entirely numeric.')
  return problems
}

function similarAttribute(password: string, attributes: PasswordAttributes): string | undefined {
  const letters = [...password.toLowerCase()]
  const similar = VERBOSE_NAMES.find(([name]) => {
    const value = attributes[name]?.toLowerCase()
    return value && [...words(value), value].some((part) => isSimilar(letters, [...part]))
  })
  return similar?.[1]
}

/** The empty strings at the ends stay in: an empty password is too similar to those, says Django. */
function words(value: string): string[] {
  return value.split(/[^\p{L}\p{N}_]+/u)
}

function isSimilar(password: string[], part: string[]): boolean {
  const tooLong = password.length >= 10 * part.length && part.length < (MAX_SIMILARITY / 2) * password.length
  return !tooLong && quickRatio(password, part) >= MAX_SIMILARITY
}

/** difflib.SequenceMatcher.quick_ratio(): what the two have in common in any order, 0 to 1; two empty ones are alike. */
function quickRatio(a: string[], b: string[]): number {
  const total = a.length + b.length
  if (total === 0) return 1
  const left = new Map<string, number>()
  for (const letter of b) left.set(letter, (left.get(letter) ?? 0) + 1)
  let shared = 0
  for (const letter of a) {
    const available = left.get(letter) ?? 0
    if (available > 0) shared += 1
    left.set(letter, available - 1)
  }
  return (2 * shared) / total
}

/** Wider than Python's isdigit() by fractions, Roman numerals and the like: they are no better as a password. */
function isNumeric(password: string): boolean {
  return /^\p{N}+$/u.test(password)
}

let loading: Promise<Set<string>> | undefined

function commonPasswords(): Promise<Set<string>> {
  loading ??= loadCommonPasswords()
  return loading
}

/**
 * The list is Django's own, unchanged: django/contrib/auth/common-passwords.txt.gz, made by Royce Williams
 * (https://gist.github.com/roycewilliams/281ce539915a947a23db17137d91aeb7). Copyright (c) Django Software Foundation
 * and individual contributors, BSD-3-Clause, https://github.com/django/django/blob/main/LICENSE
 */
async function loadCommonPasswords(): Promise<Set<string>> {
  const packed = await readFile(new URL('./common-passwords.txt.gz', import.meta.url))
  const list = await promisify(gunzip)(packed)
  return new Set(list.toString('utf8').trimEnd().split('\n'))
}
