import { normalizeUsername } from '../django/username.ts'

/**
 * Returns the names in every spelling that the database is to compare: as written, as Django normalizes them, and in
 * lower and upper case. Not every database knows the case of every letter, and not all agree with JavaScript.
 */
export function spellings(names: readonly string[]): string[] {
  const written = names.flatMap((name) => [name, normalizeUsername(name)])
  return [...new Set(written.flatMap((name) => [name, name.toLowerCase(), name.toUpperCase()]))]
}
