import { type SQL, sql } from 'drizzle-orm'
import type { Dialect, Line } from './dialect.ts'

/** Returns an aggregate: the lines of a group of rows, an end between two. To complete each by itself takes longer. */
export function joinedLines({ joined }: Pick<Dialect, 'joined'>, { before, after }: Line, image: SQL): SQL {
  return sql`cast(${before} as text) || ${joined(image, `${after}\n${before}`)} || cast(${after} as text)`
}
