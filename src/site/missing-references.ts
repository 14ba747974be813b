import type { Table } from '../db/catalog.ts'
import { UserError } from '../errors.ts'
import type { Dependents } from './dependents.ts'

/**
 * Throws a UserError (refused) when a deletion would reach a table with a foreign key to one that does not exist: the
 * database would refuse it, and name only the other one. From `empty` tables nothing is deleted.
 */
export function refuseMissingReferences({ order }: Dependents, empty: ReadonlySet<Table>): void {
  const table = order.flat().find((each) => each.missingReferences.length > 0 && !empty.has(each))
  if (!table) return
  const [missing] = table.missingReferences
  throw new UserError(`${table.label} has a foreign key to ${missing}, and there is no such table`, {
    kind: 'refused',
    hint: `the database deletes nothing from it then: create ${missing}, or make ${table.label} anew without that key`,
  })
}
