import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The primary key of an EmailAddress row. An integer must be a number or a bigint: a string becomes a JSON string,
 * which is right for a UUID.
 */
export type AddressId = bigint | number | string

export type ConfirmationKeyReading =
  | { addressId: bigint | string; signedAt: Date }
  | { reason: 'malformed' | 'bad-signature' | 'expired' }

const SALT = 'account' // the default of ACCOUNT_SALT
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Returns the key of a link that confirms the address, as allauth's EmailConfirmationHMAC makes it:
 * django.core.signing.dumps(pk, salt=ACCOUNT_SALT), `<base64url of JSON>:<base62 seconds>:<base64url HMAC-SHA256>`.
 * Throws a RangeError when the time is invalid or before 1970.
 */
export function confirmationKey(options: {
  secret: string
  salt?: string
  addressId: AddressId
  at: Date
}): string {
  const { secret, salt = SALT, addressId, at } = options
  const payload = Buffer.from(asciiJson(addressId)).toString('base64url')
  const value = `${payload}:${encodeBase62(Math.floor(at.getTime() / 1000))}`
  return `${value}:${signature(value, secret, salt)}`
}

/**
 * Returns the address and the time that a key was signed for, or why the site would not take it. As in Django, a key
 * expires when it is older than `maxAgeSeconds`, and one from the future is good. The SHA-1 signatures that Django
 * before 4.0 took as well are a `bad-signature`.
 */
export function readConfirmationKey(
  key: string,
  options: { secret: string; salt?: string; maxAgeSeconds: number; now: Date },
): ConfirmationKeyReading {
  const { secret, salt = SALT, maxAgeSeconds, now } = options
  const parts = /^(([^:]*):([^:]*)):([^:]*)$/s.exec(key)
  if (!parts) return { reason: 'malformed' }
  const [, value = '', payload = '', timestamp = '', signed = ''] = parts
  if (!constantTimeEqual(signed, signature(value, secret, salt))) return { reason: 'bad-signature' }

  const seconds = decodeBase62(timestamp)
  const addressId = readAddressId(payload)
  if (seconds === undefined || addressId === undefined) return { reason: 'malformed' }
  if (now.getTime() / 1000 - seconds > maxAgeSeconds) return { reason: 'expired' }
  return { addressId, signedAt: new Date(seconds * 1000) }
}

/** django.utils.crypto.salted_hmac(salt + 'signer', value, SECRET_KEY, algorithm='sha256') */
function signature(value: string, secret: string, salt: string): string {
  const key = createHash('sha256').update(`${salt}signer`).update(secret).digest()
  return createHmac('sha256', key).update(value).digest('base64url')
}

/** Compares the text, not the decoded bytes: four different last characters decode to the same 32 bytes. */
function constantTimeEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Python's json.dumps(): everything outside of ASCII is escaped. */
function asciiJson(id: AddressId): string {
  if (typeof id !== 'string') return id.toString()
  return JSON.stringify(id).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** BigInt and not JSON.parse for integers: a bigint key may be beyond what a number holds. */
function readAddressId(payload: string): bigint | string | undefined {
  const json = Buffer.from(payload, 'base64url').toString('latin1')
  if (/^-?\d+$/.test(json)) return BigInt(json)
  try {
    const id: unknown = JSON.parse(json)
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

function encodeBase62(seconds: number): string {
  if (!(seconds >= 0)) throw new RangeError('A confirmation key cannot be signed for this time')
  let digits = ''
  let rest = seconds
  do {
    digits = BASE62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  } while (rest > 0)
  return digits
}

function decodeBase62(text: string): number | undefined {
  if (!/^[0-9A-Za-z]+$/.test(text)) return undefined
  return [...text].reduce((seconds, digit) => seconds * 62 + BASE62.indexOf(digit), 0)
}
