import type { Catalog, Table } from '../db/catalog.ts'

/** Where a table lies, whatever the search path: its schema, and its name there. */
export type TablePlace = readonly [schema: string, name: string]

/** Returns where the table lies; undefined where there are no schemas. */
export function placeOf({ namespace, name }: Table): TablePlace | undefined {
  return namespace === undefined ? undefined : [namespace, name]
}

/** Returns the table at the place. */
export function tableAt({ tables }: Catalog, [schema, name]: TablePlace): Table | undefined {
  return [...tables.values()].find((table) => table.namespace === schema && table.name === name)
}

/** Returns the place for people, in full. */
export function shownPlace([schema, name]: TablePlace): string {
  return `${schema}.${name}`
}
