import { type SQL, sql } from 'drizzle-orm'
import type { Dialect } from '../db/dialect.ts'

/** Returns an aggregate: the keys as `keySlices` reads them, in the order in which they come. */
export function keyList({ joined, jsonText }: Dialect, key: SQL): SQL {
  return joined(jsonText(sql`cast(${key} as text)`), ',')
}

/** Between two JSON strings, and nowhere else: a quotation mark within one has a backslash before it. */
const BETWEEN = '","'

/**
 * Returns the keys in slices of this size, each a part of the list and no copy of it: a million keys as so many strings
 * would take several times the memory. NULL are no keys.
 */
export function keySlices(list: string | null, size: number): string[] {
  const slices: string[] = []
  for (let start = 0; list && start < list.length; ) {
    const end = endOfKeys(list, start, size)
    slices.push(list.slice(start, end))
    start = end + 1
  }
  return slices
}

function endOfKeys(list: string, start: number, number: number): number {
  // After the first mark of a key, which may itself begin with a comma.
  let at = start + 1
  for (let key = 0; key < number; key++) {
    const found = list.indexOf(BETWEEN, at)
    if (found === -1) return list.length
    at = found + BETWEEN.length
  }
  return at - 2
}

/** Returns the keys of a slice. */
export function keysOf(slice: string): string[] {
  return JSON.parse(`[${slice}]`)
}
