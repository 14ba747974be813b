import { domainToASCII, domainToUnicode } from 'node:url'
import { normalizeUsername } from '../django/username.ts'

/**
 * Returns the names in every spelling that the database is to compare: as written, as Django normalizes them, with both
 * forms of an international domain behind an @, and in lower and upper case. Not every database knows the case of every
 * letter, and not all agree with JavaScript.
 */
export function spellings(names: readonly string[]): string[] {
  const written = names.flatMap((name) => [name, normalizeUsername(name), ...withOtherDomain(name)])
  return [...new Set(written.flatMap((name) => [name, name.toLowerCase(), name.toUpperCase()]))]
}

/** A site may have `xn--bcher-kva.example` as people type it or as the network knows it (RFC 5890). */
function withOtherDomain(name: string): string[] {
  const [, start = '', domain = ''] = /^(.*@)([^@]*)$/s.exec(name) ?? []
  if (!/[^\0-\x7f]|\bxn--/i.test(domain)) return []
  return [domainToASCII(domain), domainToUnicode(domain)]
    .filter((form) => form !== '')
    .map((form) => `${start}${form}`)
}
