import { pbkdf2, randomInt } from 'node:crypto'
import { promisify } from 'node:util'

const ALPHANUMERICS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const ITERATIONS = 1_000_000 // Django 5.2's default; a site with another one re-hashes at the first login
const SALT_LENGTH = 22 // 128 bits: with less, Django re-hashes at every login
const HASH_BYTES = 32

const derive = promisify(pbkdf2)

/**
 * Returns `pbkdf2_sha256$<iterations>$<salt>$<base64>`, the one format that every default Django site verifies
 * (django.contrib.auth.hashers.PBKDF2PasswordHasher). The password is taken as it is: not trimmed, not normalised.
 * Throws a RangeError when the salt is empty or holds a `$`, or the iterations are not a positive integer.
 */
export async function hashPassword(
  password: string,
  options: { iterations?: number; salt?: string } = {},
): Promise<string> {
  const { iterations = ITERATIONS, salt = randomAlphanumerics(SALT_LENGTH) } = options
  if (salt === '' || salt.includes('$')) throw new RangeError('A salt must not be empty or contain "$"')
  const hash = await derive(password, salt, iterations, HASH_BYTES, 'sha256')
  return `pbkdf2_sha256$${iterations}$${salt}$${hash.toString('base64')}`
}

/** Returns a value that no password ever matches: `!` and 40 random alphanumerics, as set_unusable_password() does. */
export function unusablePassword(): string {
  return `!${randomAlphanumerics(40)}`
}

/** Returns that many random characters of a-z, A-Z and 0-9, each equally likely (Django's get_random_string()). */
export function randomAlphanumerics(length: number): string {
  return Array.from({ length }, () => ALPHANUMERICS.charAt(randomInt(ALPHANUMERICS.length))).join('')
}
