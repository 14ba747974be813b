import { createHash, createHmac } from 'node:crypto'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Returns the address and the time that a key was signed for, as django.core.signing.loads() reads it whatever its age;
 * undefined when the secret or the salt is another one.
 */
export function readConfirmationKey(
  key: string,
  { secret, salt = 'account' }: { secret: string; salt?: string },
): { addressId: bigint | string; signedAt: Date } | undefined {
  const [payload = '', timestamp = '', signature = ''] = key.split(':')
  // django.utils.crypto.salted_hmac(salt + 'signer', value, SECRET_KEY, algorithm='sha256')
  const hmacKey = createHash('sha256').update(`${salt}signer`).update(secret).digest()
  const expected = createHmac('sha256', hmacKey).update(`${payload}:${timestamp}`).digest('base64url')
  if (signature !== expected) return undefined
  const seconds = [...timestamp].reduce((sum, digit) => sum * 62 + BASE62.indexOf(digit), 0)
  return { addressId: addressIn(payload), signedAt: new Date(seconds * 1000) }
}

/** BigInt and not JSON.parse for integers: a bigint key may be beyond what a number holds. */
function addressIn(payload: string): bigint | string {
  const json = Buffer.from(payload, 'base64url').toString('latin1')
  return /^\d+$/.test(json) ? BigInt(json) : String(JSON.parse(json))
}
