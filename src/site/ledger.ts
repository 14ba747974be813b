import type { ColumnKit } from '../db/kit.ts'

/** Which migrations have been applied; the others of the tool's own tables come with a migration. */
export const MIGRATION_TABLE = 'usermgmt_migration'

/** In words that every database knows; CURRENT_TIMESTAMP is Django's format on SQLite too. */
export const CREATE_MIGRATION_TABLE = `CREATE TABLE "${MIGRATION_TABLE}" (
  "folder" varchar(40) NOT NULL,
  "name" varchar(255) NOT NULL,
  "hash" char(64) NOT NULL,
  "applied_at" timestamp with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY ("folder", "name")
)`

/** True for the tables that belong to the tool and not to the site. */
export function isLedgerTable(name: string): boolean {
  return name.startsWith('usermgmt_')
}

/** Returns the tool's own tables for Drizzle's builders. */
export function ledgerTables(kit: ColumnKit) {
  return {
    migrations: kit.table(
      { name: MIGRATION_TABLE, schema: undefined },
      {
        folder: kit.text('folder'),
        name: kit.text('name'),
        hash: kit.text('hash'),
        appliedAt: kit.instant('applied_at'),
      },
    ),
  }
}
