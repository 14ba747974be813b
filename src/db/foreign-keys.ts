import { type SQL, sql } from 'drizzle-orm'
import type { Conversion, ForeignKey } from './catalog.ts'

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
    key.columns.map((name, i) => {
      const one = converted(key, i, 'referring', sql`${row}.${sql.identifier(name)}`)
      const other = converted(key, i, 'referenced', sql`${referenced}.${sql.identifier(names[i] ?? name)}`)
      return sql`${one} = ${other}${collate(key, i)}`
    }),
    sql` and `,
  )
}

/** Returns the condition that a row refers to one of the expression's, which has the referenced columns. */
export function refersInto(key: ForeignKey, expression: SQL): SQL {
  const columns = sql.join(
    key.columns.map(
      (name, i) => sql`${converted(key, i, 'referring', sql`${sql.identifier(name)}`)}${collate(key, i)}`,
    ),
    sql`, `,
  )
  const referenced = sql.join(
    key.referencedColumns.map((name, i) => converted(key, i, 'referenced', sql`${sql.identifier(name)}`)),
    sql`, `,
  )
  const row = key.columns.length === 1 ? columns : sql`(${columns})`
  return sql`${row} in (select ${referenced} from ${expression})`
}

/** Returns what makes a comparison of the key's pair of columns the foreign key's own; mostly that is nothing. */
export function collate({ collations }: ForeignKey, pair: number): SQL {
  const collation = collations[pair]
  return collation ? sql` collate ${sql.raw(collation)}` : sql``
}

/** Returns what the key compares in place of a column of its pair; mostly that is the column. */
export function converted(
  { conversions }: ForeignKey,
  pair: number,
  end: keyof Conversion,
  column: SQL,
): SQL {
  return conversions?.[pair]?.[end]?.(column) ?? column
}
