import { type Catalog, columnOf, type Table } from '../db/catalog.ts'
import { invalid } from '../errors.ts'
import { didYouMean } from '../suggest.ts'

/** A column and its table. */
export interface TableColumn {
  readonly table: Table
  readonly column: string
}

/**
 * Returns what `TABLE.COLUMN` names. Tables and columns may have dots in their names (`other.blog_post`): the longest
 * name of a table is meant. Throws a UserError (invalid) when there is no such table or column; `hint` says how to write
 * it, `setting` where it is written.
 */
export function columnNamed(
  catalog: Catalog,
  text: string,
  { hint, setting }: { readonly hint: string; readonly setting?: string },
): TableColumn {
  const place = setting === undefined ? '' : `${setting}: `
  const readings = readingsOf(catalog, text)
  const found = readings.find(({ table, column }) => columnOf(table, column)) ?? readings[0]
  if (!found) {
    const name = text.includes('.') ? text.slice(0, text.lastIndexOf('.')) : text
    throw invalid(`${place}there is no table ${name}${didYouMean(name, catalog.tables.keys())}`, hint)
  }
  const { table, column } = found
  if (columnOf(table, column)) return found
  const names = table.columns.map((each) => each.name).join(', ')
  throw invalid(`${place}the table ${table.label} has no column ${column}`, `it has: ${names}`)
}

/** Returns the ways to read the text as a table that exists and a column, the longest table first. */
function readingsOf({ tables }: Catalog, text: string): TableColumn[] {
  const dots = [...text.matchAll(/\./g)].map(({ index }) => index).reverse()
  return dots.flatMap((dot) => {
    const table = tables.get(text.slice(0, dot))
    return table ? [{ table, column: text.slice(dot + 1) }] : []
  })
}
