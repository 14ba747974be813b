import { afterAll, beforeAll, describe, inject } from 'vitest'
import { postgresDatabases, type SiteDatabases, sqliteDatabases } from './site-databases.ts'

/** Runs the specification with a Django site on SQLite and on PostgreSQL; the databases are there when a test runs. */
export function describeEachSite(name: string, specification: (databases: SiteDatabases) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} (Django on %s)`, (kind) => {
    let databases: SiteDatabases
    beforeAll(async () => {
      databases = await (kind === 'sqlite' ? sqliteDatabases() : postgresDatabases(inject('postgresUrl')))
    })
    afterAll(() => databases.close())

    specification({
      empty: () => databases.empty(),
      migrated: () => databases.migrated(),
      copyOf: (database) => databases.copyOf(database),
      close: () => databases.close(),
    })
  })
}
