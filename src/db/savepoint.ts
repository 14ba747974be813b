import { sql } from 'drizzle-orm'
import type { Db } from './port.ts'

/**
 * Returns what the work returns. It leaves no trace when it throws, or when its result is not one that `keeps`; the
 * transaction goes on all the same. May be nested: a name always means the innermost savepoint.
 */
export async function inSavepoint<T>(
  tx: Db,
  work: () => Promise<T>,
  keeps: (result: T) => boolean = () => true,
): Promise<T> {
  await tx.run(sql`savepoint usermgmt`)
  let isKept = false
  try {
    const result = await work()
    isKept = keeps(result)
    return result
  } finally {
    if (!isKept) await tx.run(sql`rollback to savepoint usermgmt`)
    await tx.run(sql`release savepoint usermgmt`)
  }
}
