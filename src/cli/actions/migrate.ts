import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Settings } from '../../config/settings.ts'
import { migrate as migrateDatabase, migrationScript, planMigrations } from '../../site/migrate.ts'
import type { CommandContext } from '../command-context.ts'
import type { MigrateOptions } from '../commands/migrate.ts'
import { appliedMigrations, migrationRemark, migrationStatus } from '../render/migrations.ts'
import { settingsOf, withDatabase } from '../with-site.ts'

/** Creates the tables that are missing; or prints what there is (`--status`) or what it would do (`--dry-run`). */
export async function migrate(context: CommandContext, { status, dryRun }: MigrateOptions): Promise<void> {
  const settings = await settingsOf(context)
  const [work, where] =
    status || dryRun ? [planMigrations, withoutCreating(settings)] : [migrateDatabase, settings]
  const { emailAddresses } = settings.configured.names
  const plan = await withDatabase(context, where, (db) => work(db, emailAddresses), { create: true })
  if (status) return context.stdout.write(migrationStatus(plan))
  await context.talk.say(migrationRemark(plan))
  if (dryRun) return context.stdout.write(migrationScript(plan))
  // It is the tables that were asked for.
  if (!context.globals.quiet) await context.stdout.write(appliedMigrations(plan))
}

/** Whoever only looks must leave no file behind: one that is missing is as good as an empty one in memory. */
function withoutCreating(settings: Settings): Settings {
  const { target } = settings
  if (target.kind !== 'sqlite' || existsSync(target.path) || !existsSync(dirname(target.path)))
    return settings
  return { ...settings, target: { kind: 'sqlite', path: ':memory:' } }
}
