import { type SQL, sql } from 'drizzle-orm'
import type { Table } from './catalog.ts'

/** Returns the table as a statement names it; only for names that the catalog or this program gave. */
export function tableName(table: Pick<Table, 'schema' | 'name'>): SQL {
  return table.schema === undefined
    ? sql`${sql.identifier(table.name)}`
    : sql`${sql.identifier(table.schema)}.${sql.identifier(table.name)}`
}

/** Returns a name for what only a statement has; no table or column of a site is called so. */
export function ownName(name: string): SQL {
  return sql`${sql.identifier(`usermgmt_${name}`)}`
}

/** The row of a recursive expression from which a step goes on. */
export const RING = ownName('ring')

/** Returns `"a", "b"`, each after the qualifier when there is one. */
export function columnList(names: readonly string[], qualifier?: SQL): SQL {
  return sql.join(
    names.map((name) =>
      qualifier ? sql`${qualifier}.${sql.identifier(name)}` : sql`${sql.identifier(name)}`,
    ),
    sql`, `,
  )
}

/** Returns the condition that two lists of columns are equal, pair by pair. */
export function equalColumns(
  left: SQL,
  leftNames: readonly string[],
  right: SQL,
  rightNames: readonly string[],
): SQL {
  return sql.join(
    leftNames.map(
      (name, i) => sql`${left}.${sql.identifier(name)} = ${right}.${sql.identifier(rightNames[i] ?? name)}`,
    ),
    sql` and `,
  )
}

/** Returns `(a, b)` for comparing with a subquery of as many columns; without brackets when it is one. */
export function rowValue(names: readonly string[], qualifier?: SQL): SQL {
  return names.length === 1 ? columnList(names, qualifier) : sql`(${columnList(names, qualifier)})`
}

/** Returns the text of a string in SQL. */
export function quotedString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** As `tableName`, as text. */
export function tableText({ schema, name }: Pick<Table, 'schema' | 'name'>): string {
  return quotedText(...(schema === undefined ? [name] : [schema, name]))
}

/** Returns the names in quotes, with dots between them, as text: for what is not a statement of Drizzle's. */
export function quotedText(...names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
}

/** Returns the condition that none of the columns is NULL. */
export function allPresent(columns: readonly string[]): SQL {
  return sql.join(
    columns.map((name) => sql`${sql.identifier(name)} is not null`),
    sql` and `,
  )
}
