import type { Dialect } from './dialect.ts'

const DIALECTS: Readonly<Record<Dialect['name'], () => Promise<Dialect>>> = {
  sqlite: async () => (await import('./sqlite/dialect.ts')).sqliteDialect,
  postgres: async () => (await import('./postgres/dialect.ts')).postgresDialect,
}

/** Returns the dialect of a database that is not open. */
export function dialectOf(kind: Dialect['name']): Promise<Dialect> {
  return DIALECTS[kind]()
}
