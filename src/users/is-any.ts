import { type SQL, sql } from 'drizzle-orm'

/** Returns the condition that one of the conditions holds. It is never NULL: an unknown sign is no sign. */
export function isAny(conditions: readonly SQL[]): SQL {
  return sql`((${sql.join([...conditions], sql` or `)}) is true)`
}
