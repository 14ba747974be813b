import { type SQL, sql } from 'drizzle-orm'

/** Returns what stands before a statement that refers to these common table expressions; nothing when there are none. */
export function withRecursive(definitions: readonly SQL[]): SQL {
  return definitions.length > 0 ? sql`with recursive ${sql.join([...definitions], sql`, `)} ` : sql``
}
