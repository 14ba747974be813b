import type { Query, SQL } from 'drizzle-orm'
import { CasingCache } from 'drizzle-orm/casing'
import { quotedString, quotedText } from '../identifiers.ts'

/** As Drizzle's own dialect for SQLite, which comes with all of the query builders. */
const DIALECT = {
  casing: new CasingCache(),
  escapeName: (name: string) => quotedText(name),
  escapeParam: () => '?',
  escapeString: quotedString,
}

/** Returns the statement's text, with its parameters apart. */
export function statementText(query: SQL): Query {
  return query.toQuery(DIALECT)
}
