import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { lengthProblem } from './length-problem.ts'

const MAX_LENGTH = 254 // both auth_user.email and account_emailaddress.email are varchar(254)
const INVALID = 'Enter a valid email address.'

const DOT_ATOM = /^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*$/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 5321 lets a quoted local part hold them, and so does Django
const QUOTED = /^"([\x01-\x08\x0b\x0c\x0e-\x1f!#-[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$/
const DOMAIN = /^(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z0-9-]{2,63}(?<!-)$/i
const LITERAL = /^\[([A-F0-9:.]+)\]$/i
const MAX_IPV6_LENGTH = 39

/**
 * Returns the address as current allauth stores it and looks it up: trimmed, all in lower case. With capitals in the
 * table, its owner could not log in by address there (allauth 0.51 stored it as typed and ignored case).
 */
export function normalizeEmail(email: string): string {
  return email.trim().toLowerCase()
}

/**
 * Returns why Django would refuse the address, in its own words, or undefined. The rules are those of EmailValidator
 * (django/core/validators.py) and of the column's length, counted in code points. One difference: Python's IGNORECASE
 * lets ı, İ, ſ and K (the Kelvin sign) pass for ASCII letters in the local part; they are look-alikes, and refused.
 */
export function emailProblem(email: string, maxLength = MAX_LENGTH): string | undefined {
  const at = email.lastIndexOf('@')
  if (at === -1) return INVALID
  if (!isLocalPart(email.slice(0, at)) || !isDomain(email.slice(at + 1))) return INVALID
  return lengthProblem(email, maxLength)
}

function isLocalPart(local: string): boolean {
  return DOT_ATOM.test(local) || QUOTED.test(local)
}

function isDomain(domain: string): boolean {
  return domain === 'localhost' || DOMAIN.test(domain) || isAddressLiteral(domain) || isInternational(domain)
}

function isAddressLiteral(domain: string): boolean {
  const ip = LITERAL.exec(domain)?.[1]
  if (ip === undefined) return false
  return isIPv4(ip) || (isIPv6(ip) && ip.length <= MAX_IPV6_LENGTH)
}

/**
 * domainToASCII() does more than encode: it decodes `%41`, which has to be kept from it, and reads `1。22` as 1.0.0.22.
 * It follows UTS 46, Django IDNA 2003: invisible characters and mixed writing directions may be judged differently.
 */
function isInternational(domain: string): boolean {
  if (/^\p{ASCII}*$/u.test(domain) || !/^(?:[A-Z0-9.-]|\P{ASCII})+$/iu.test(domain)) return false
  const ascii = domainToASCII(domain)
  return DOMAIN.test(ascii) && !isIPv4(ascii)
}
