import { type Catalog, columnOf } from '../db/catalog.ts'
import { UserError } from '../errors.ts'
import { isLedgerTable } from './ledger.ts'
import type { Migration } from './migration-files.ts'

const CREATED = /^CREATE TABLE "(\w+)"/m
const COLUMN = /^ {2}"(\w+)"/gm

/** Throws a UserError when a table that the migration made for the tool itself has lost a column. */
export function refuseLostColumns({ statements }: Migration, { tables }: Catalog): void {
  for (const statement of statements) {
    const name = CREATED.exec(statement)?.[1] ?? ''
    const table = isLedgerTable(name) ? tables.get(name) : undefined
    const lost = [...statement.matchAll(COLUMN)].find(([, column = '']) => table && !columnOf(table, column))
    if (!lost) continue
    throw new UserError(`the table ${name} has lost a column: ${lost[1]}`, {
      hint: 'add it again, or drop the table and run usermgmt migrate: it makes whole tables only',
    })
  }
}
