import { type SQL, sql } from 'drizzle-orm'
import type { ForeignKey } from './catalog.ts'
import { columnList } from './identifiers.ts'

/**
 * Returns the condition that the one row refers to the other, as the foreign key itself sees it. The columns that are
 * referred to may be called otherwise within a statement.
 */
export function refersTo(
  key: ForeignKey,
  row: SQL,
  referenced: SQL,
  names: readonly string[] = key.referencedColumns,
): SQL {
  return sql.join(
    key.columns.map(
      (name, i) =>
        sql`${row}.${sql.identifier(name)} = ${referenced}.${sql.identifier(names[i] ?? name)}${collate(key, i)}`,
    ),
    sql` and `,
  )
}

/** Returns the condition that a row refers to one of the expression's, which has the referenced columns. */
export function refersInto(key: ForeignKey, expression: SQL): SQL {
  const columns = sql.join(
    key.columns.map((name, i) => sql`${sql.identifier(name)}${collate(key, i)}`),
    sql`, `,
  )
  const row = key.columns.length === 1 ? columns : sql`(${columns})`
  return sql`${row} in (select ${columnList(key.referencedColumns)} from ${expression})`
}

/** Returns what makes a comparison of the key's pair of columns the foreign key's own; mostly that is nothing. */
export function collate({ collations }: ForeignKey, pair: number): SQL {
  const collation = collations[pair]
  return collation ? sql` collate ${sql.raw(collation)}` : sql``
}
