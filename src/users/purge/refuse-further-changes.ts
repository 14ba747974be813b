import { MoreChanged } from '../../db/errors.ts'
import type { Db } from '../../db/port.ts'
import type { Effects } from './delete-users.ts'

/**
 * Returns what the work has done, within the transaction. Throws when the database has deleted or changed more rows than
 * that: no archive has them. For databases without triggers, whose changes nobody can tell from these.
 */
export async function refuseFurtherChanges(tx: Db, work: () => Promise<Effects>): Promise<Effects> {
  const before = await tx.dialect.changedRows(tx)
  const effects = await work()
  const changed = (await tx.dialect.changedRows(tx)) - before
  if (changed > toldOf(effects)) throw new MoreChanged()
  return effects
}

function toldOf({ tables, nulled, nulledFirst }: Effects): number {
  const deleted = [...tables.values()]
  const cleared = nulled.map(({ rows }) => (typeof rows === 'number' ? rows : rows.length))
  return [...deleted, ...cleared].reduce((sum, rows) => sum + rows, nulledFirst)
}
