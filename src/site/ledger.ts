import type { ColumnKit, ColumnOf } from '../db/kit.ts'

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

/** Where it is, there is a ledger. */
export const RUN_TABLE = 'usermgmt_run'

/** What has become of a reminder. `sending`: it never recorded its end, and nobody knows whether it arrived. */
export type ReminderStatus = 'sending' | 'sent' | 'bounced' | 'failed'

/** Those of reminders that the user may have read. */
export const MAY_HAVE_ARRIVED: readonly ReminderStatus[] = ['sending', 'sent']

/** True for the tables that belong to the tool and not to the site. */
export function isLedgerTable(name: string): boolean {
  return name.startsWith('usermgmt_')
}

/** Returns the tool's own tables for Drizzle's builders, in the first schema of the search path. */
export function ledgerTables(kit: ColumnKit) {
  const table = <B extends Record<string, ColumnOf<unknown>>>(name: string, columns: B) =>
    kit.table({ name, schema: undefined }, columns)
  return {
    migrations: table(MIGRATION_TABLE, {
      folder: kit.text('folder'),
      name: kit.text('name'),
      hash: kit.text('hash'),
      appliedAt: kit.instant('applied_at'),
    }),
    runs: table(RUN_TABLE, {
      id: kit.text('id'),
      command: kit.text('command'),
      options: kit.text('options'),
      actor: kit.text('actor'),
      host: kit.text('host'),
      version: kit.text('version'),
      startedAt: kit.instant('started_at'),
      endedAt: kit.instant('ended_at'),
      outcome: kit.text('outcome'),
      counts: kit.text('counts'),
      archive: kit.text('archive'),
    }),
    deletions: table('usermgmt_deletion', {
      runId: kit.text('run_id'),
      userKey: kit.text('user_key'),
      emailSha256: kit.text('email_sha256'),
      deletedAt: kit.instant('deleted_at'),
    }),
    reminders: table('usermgmt_reminder', {
      id: kit.key('id', 'bigint'),
      runId: kit.text('run_id'),
      userKey: kit.text('user_key'),
      emailSha256: kit.text('email_sha256'),
      addressKey: kit.text('address_key'),
      status: kit.text('status') as ColumnOf<ReminderStatus>,
      reply: kit.text('reply'),
      deletionAt: kit.instant('deletion_at'),
      createdAt: kit.instant('created_at'),
      finishedAt: kit.instant('finished_at'),
      attempts: kit.integer('attempts'),
    }),
    locks: table('usermgmt_lock', {
      name: kit.text('name'),
      runId: kit.text('run_id'),
      holder: kit.text('holder'),
      acquiredAt: kit.instant('acquired_at'),
      heartbeatAt: kit.instant('heartbeat_at'),
    }),
  }
}
