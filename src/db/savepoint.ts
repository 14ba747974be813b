import { sql } from 'drizzle-orm'
import { isRefusal, shortReason, TransactionEnded } from './errors.ts'
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
    await takeBack(tx).catch(() => {
      // The savepoint has gone with its transaction: what sounds like the refusal of a row is that of all.
      throw isRefusal(error) ? new TransactionEnded(shortReason(error)) : error
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
