import { randomUUID } from 'node:crypto'
import type { Catalog, Column, Table } from '../db/catalog.ts'
import type { Dialect } from '../db/dialect.ts'
import { UserError } from '../errors.ts'

/**
 * Returns values, in the database's own form, for the columns that need one and get none from `given`: a random UUID
 * or the empty text. Throws a UserError that names the others: their default is known to the site's code only.
 */
export function fillColumns(
  { foreignKeys }: Catalog,
  table: Table,
  given: ReadonlySet<string>,
  dialect: Dialect,
): Map<string, string> {
  const referring = foreignKeys.filter((key) => key.table === table).flatMap((key) => key.columns)
  const referred = foreignKeys
    .filter((key) => key.references === table)
    .flatMap((key) => key.referencedColumns)
  const keys = new Set([...table.primaryKey, ...referred])
  const filled = new Map<string, string>()
  const missing: string[] = []
  for (const column of table.columns.filter((each) => isNeeded(each) && !given.has(each.name))) {
    const value = referring.includes(column.name)
      ? undefined
      : valueFor(column, keys.has(column.name), dialect)
    if (value === undefined) missing.push(column.name)
    else filled.set(column.name, value)
  }
  if (missing.length === 0) return filled
  throw new UserError(
    `${table.label} has columns that need a value and have no default here: ${missing.join(', ')}`,
    { hint: "create this user with the site's own code, or give the columns a default in the database" },
  )
}

function isNeeded({ nullable, filled, generated }: Column): boolean {
  return !nullable && !filled && !generated
}

/**
 * Where a model's text field says nothing, Django writes the empty text, never NULL. It is no key: a second row could
 * not have it.
 */
function valueFor({ type }: Column, isKey: boolean, dialect: Dialect): string | undefined {
  const family = dialect.typeFamily(type)
  if (family === 'uuid') return dialect.parseKey(randomUUID(), type)
  return (family === 'text' || family === 'caseless') && !isKey ? '' : undefined
}
