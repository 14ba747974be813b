import { randomInt } from 'node:crypto'
import { MAX_USERNAME_LENGTH } from './username.ts'

const MAX_SUFFIX_LENGTH = 6
const DIGITS = '0123456789'
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

/**
 * Returns the name that allauth would make out of the first usable part (first name, last name, address, …), in
 * ASCII and lower case; `user` if none is usable. See _generate_unique_username_base() in allauth/utils.py.
 */
export function usernameFrom(parts: string[], maxLength = MAX_USERNAME_LENGTH): string {
  const names = parts.map(asciiName).filter((name) => name !== '')
  const fitting = names.find((name) => name.length <= maxLength)
  return fitting ?? names.at(-1)?.slice(0, maxLength) ?? 'user'
}

function asciiName(part: string): string {
  const kept = part
    .normalize('NFKD')
    .replace(/\P{ASCII}/gu, '')
    .replace(/[^\w\s@+.-]/g, '')
  const local = kept.toLowerCase().split('@', 1).join('')
  return local.trim().replace(/\s+/g, '_')
}

/**
 * Yields the base (unless it is too short), then the base with 1 to 6 random characters, four digits before any
 * letter: the attempts of allauth's generate_username_candidates(). Take the first whose lower-case form is free.
 */
export function* usernameCandidates(
  base: string,
  { minLength = 1, maxLength = MAX_USERNAME_LENGTH } = {},
): Generator<string, void, undefined> {
  if (base.length >= minLength && base.length <= maxLength) yield base
  const shortest = Math.max(1, minLength - base.length)
  for (let length = shortest; length <= Math.min(MAX_SUFFIX_LENGTH, maxLength - 1); length += 1) {
    yield base.slice(0, maxLength - length) + randomSuffix(length)
  }
}

function randomSuffix(length: number): string {
  return Array.from({ length }, (_, index) => {
    const alphabet = index < 4 ? DIGITS : LETTERS
    return alphabet.charAt(randomInt(alphabet.length))
  }).join('')
}
