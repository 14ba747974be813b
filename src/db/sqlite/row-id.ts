import { UserError } from '../../errors.ts'
import type { Table } from '../catalog.ts'
import type { ImageColumn } from '../dialect.ts'

const ROW_ID_NAMES = ['rowid', '_rowid_', 'oid']

/**
 * Returns the row id under a name that is free: a column may have one of its names, and then that name means the column
 * (https://sqlite.org/rowidtable.html). Throws a UserError (refused) when none is.
 */
export function rowIdOf({ label, columns }: Table): ImageColumn {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  const free = ROW_ID_NAMES.find((name) => !taken.has(name))
  if (free) return { name: free, type: 'integer' }
  throw new UserError(`the rows of ${label} cannot be told apart: columns have all names of its row id`, {
    kind: 'refused',
    hint: 'give the table a primary key',
  })
}
