import { sql } from 'drizzle-orm'
import type { Catalog } from '../db/catalog.ts'
import type { Db } from '../db/port.ts'
import type { Instant } from '../django/datetime.ts'
import { UserError } from '../errors.ts'
import { EMAIL_ADDRESSES } from './discover.ts'
import { CREATE_MIGRATION_TABLE, isLedgerTable, ledgerTables, MIGRATION_TABLE } from './ledger.ts'
import { refuseLostColumns } from './lost-columns.ts'
import { type Migration, migrationFiles } from './migration-files.ts'

export interface MigrationState {
  readonly migration: Migration
  /**
   * `not needed`: it makes the tables of a site, and the database has tables already. `incomplete`: it has been applied,
   * and a table of the tool's own that it made has gone.
   */
  readonly state: 'applied' | 'pending' | 'not needed' | 'incomplete'
  readonly appliedAt?: Instant | undefined
  /** The file is not the one that was applied. */
  readonly changed?: boolean
}

export interface MigrationPlan {
  /** What the database holds, the tool's own tables aside. */
  readonly holds: 'nothing' | 'a site' | 'tables without allauth'
  readonly states: readonly MigrationState[]
  /** What is left to run, in this order. */
  readonly statements: readonly string[]
}

/**
 * Applies what is pending, in one transaction, and returns the plan that it followed.
 * Drizzle's migrator would not do: it creates a schema, which takes a right that the role may lack, keeps no two runs
 * apart, and skips a migration that is older than the newest applied one.
 */
export function migrate(db: Db, emailAddresses?: string): Promise<MigrationPlan> {
  return db.transaction('write', async (tx) => {
    await tx.dialect.oneAtATime(tx)
    // Planned in here, so that the second of two runs sees what the first has done.
    const plan = await planIn(tx, emailAddresses)
    for (const statement of plan.statements) await tx.run(sql.raw(statement))
    return plan
  })
}

/** Returns what `migrate` would do; throws what it would refuse. `emailAddresses` is allauth's table, if renamed. */
export function planMigrations(db: Db, emailAddresses?: string): Promise<MigrationPlan> {
  return db.transaction('read', (tx) => planIn(tx, emailAddresses))
}

/** Returns the pending statements as a script for psql or sqlite3; empty when there are none. */
export function migrationScript({ statements }: MigrationPlan): string {
  if (statements.length === 0) return ''
  return `${['BEGIN', ...statements, 'COMMIT'].join(';\n\n')};\n`
}

async function planIn(db: Db, emailAddresses = EMAIL_ADDRESSES): Promise<MigrationPlan> {
  const catalog = await db.dialect.catalog(db)
  const recorded = await recordedMigrations(db, catalog)
  refuseUnrecordedLedger(catalog, recorded)
  const holds = whatItHolds(catalog, emailAddresses)
  const states = (await migrationFiles(db.dialect.name)).map((migration) =>
    stateOf(migration, recorded, holds, catalog),
  )
  for (const { migration, appliedAt, changed } of states) {
    if (appliedAt !== undefined && !changed) refuseLostColumns(migration, catalog)
  }
  const statements = states.flatMap(({ migration, state }) => {
    if (state === 'incomplete') return lostStatements(migration, catalog)
    return state === 'pending' ? statementsOf(migration) : []
  })
  const first = statements.length > 0 && !catalog.tables.has(MIGRATION_TABLE) ? [CREATE_MIGRATION_TABLE] : []
  return { holds, states, statements: [...first, ...statements] }
}

type Recorded = Awaited<ReturnType<typeof recordedMigrations>>

async function recordedMigrations({ dialect, select }: Db, catalog: Catalog) {
  if (!catalog.tables.has(MIGRATION_TABLE)) return []
  return select().from(ledgerTables(dialect.kit).migrations)
}

/** Tables of ours without a record of how they came there: a partial copy, or somebody else's. */
function refuseUnrecordedLedger(catalog: Catalog, recorded: Recorded): void {
  const found = [...catalog.tables.keys()].find((name) => isLedgerTable(name) && name !== MIGRATION_TABLE)
  if (found === undefined || recorded.some(({ folder }) => folder === 'ledger')) return
  throw new UserError(`there is a table ${found} that migrate has not made`, {
    hint: `rename or drop it; or, if it was copied here, copy ${MIGRATION_TABLE} as well`,
  })
}

/** Tables off the search path count too: a schema named wrongly must not get a second site. */
function whatItHolds({ tables }: Catalog, emailAddresses: string): MigrationPlan['holds'] {
  if (tables.has(emailAddresses)) return 'a site'
  return [...tables.values()].every(({ name }) => isLedgerTable(name)) ? 'nothing' : 'tables without allauth'
}

/** A site is made as a whole or not at all: what comes after its making is for Django to migrate. */
function stateOf(
  migration: Migration,
  recorded: Recorded,
  holds: MigrationPlan['holds'],
  catalog: Catalog,
): MigrationState {
  const record = recorded.find(({ folder, name }) => folder === migration.folder && name === migration.name)
  if (record) {
    const { appliedAt, hash } = record
    return {
      migration,
      state: lostStatements(migration, catalog).length > 0 ? 'incomplete' : 'applied',
      appliedAt: appliedAt ?? undefined,
      changed: hash !== migration.hash,
    }
  }
  const needed = migration.folder === 'ledger' || holds === 'nothing'
  return { migration, state: needed ? 'pending' : 'not needed' }
}

/** Returns the statements that made those tables of the tool's own that are there no longer. */
function lostStatements({ statements }: Migration, { tables }: Catalog): string[] {
  return statements.filter((statement) => {
    const table = /(?:CREATE TABLE|CREATE INDEX \S+ ON) "(\w+)"/.exec(statement)?.[1] ?? ''
    return isLedgerTable(table) && !tables.has(table)
  })
}

/** Names and hashes are the package's own and hold no quote. */
function statementsOf({ folder, name, hash, statements }: Migration): string[] {
  const record = `INSERT INTO "${MIGRATION_TABLE}" ("folder", "name", "hash") VALUES ('${folder}', '${name}', '${hash}')`
  return [...statements, record]
}
