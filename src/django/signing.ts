import { createHash, createHmac } from 'node:crypto'

/**
 * The primary key of an EmailAddress row. An integer must be a number or a bigint: a string becomes a JSON string,
 * which is right for a UUID.
 */
export type AddressId = bigint | number | string

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

/** django.utils.crypto.salted_hmac(salt + 'signer', value, SECRET_KEY, algorithm='sha256') */
function signature(value: string, secret: string, salt: string): string {
  const key = createHash('sha256').update(`${salt}signer`).update(secret).digest()
  return createHmac('sha256', key).update(value).digest('base64url')
}

/** Python's json.dumps(): everything outside of ASCII is escaped. */
function asciiJson(id: AddressId): string {
  if (typeof id !== 'string') return id.toString()
  return JSON.stringify(id).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
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
