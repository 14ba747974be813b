import { sql } from 'drizzle-orm'
import { isRefusal } from './errors.ts'
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
  let result: T
  try {
    result = await work()
  } catch (error) {
    await takeBack(tx).catch((gone) => {
      // With its savepoints SQLite has ended the transaction. Mostly it says why, as on a full disk; after what sounds
      // like the refusal of a row (ON CONFLICT ROLLBACK) nothing must go on.
      throw isRefusal(error) ? gone : error
    })
    throw error
  }
  await (keeps(result) ? tx.run(sql`release savepoint usermgmt`) : takeBack(tx))
  return result
}

async function takeBack(tx: Db): Promise<void> {
  await tx.run(sql`rollback to savepoint usermgmt`)
  await tx.run(sql`release savepoint usermgmt`)
}
