import type { Table } from '../../db/catalog.ts'
import type { Site } from '../../site/site.ts'
import { type Cells, isEqual, type Sameness, sameUser } from './same-user.ts'

/**
 * Returns whether the archived row and the one that has its key by now are the same, whatever else has changed since.
 * Another row may have the number, and be somebody else's: it has to belong to the same (`owning`: the columns that say
 * to whom). What was NULL may have been put back meanwhile. Of a row that belongs to nobody, all it refers to must be
 * the same; of one that refers to nothing, only the rest can tell.
 */
export function sameRow(
  { shape }: Site,
  owning: ReadonlySet<string>,
  table: Table,
  archived: Cells,
  found: Cells,
): Sameness {
  const keys = shape.catalog.foreignKeys.filter((key) => key.table === table)
  const referring = new Set(keys.flatMap(({ columns }) => columns))
  const isNull = (cells: Cells, name: string) => (cells.get(name) ?? null) === null
  if (table === shape.users) {
    const isOpen = (name: string) => referring.has(name) && (isNull(archived, name) || isNull(found, name))
    const telling = new Map([...archived].filter(([name]) => !isOpen(name)))
    return sameUser(shape.userColumns, telling, found)
  }
  const names = [...archived.keys()].filter(
    (name) => found.has(name) && !(referring.has(name) && isNull(archived, name)),
  )
  const telling = [owning, referring]
    .map((columns) => names.filter((name) => columns.has(name)))
    .find((some) => some.length > 0)
  return (telling ?? names).every((name) => isEqual(name, archived, found)) ? 'same' : 'other'
}
