import { type Command, Option } from 'commander'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'

export interface MigrateOptions {
  readonly status?: boolean
  readonly dryRun?: boolean
}

export const MIGRATE_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt migrate',
    output: `The database is empty. It gets all tables that Django and allauth expect.
applied site/0000_django_allauth
applied ledger/0000_ledger
applied ledger/0001_deletion_user_key`,
  },
  {
    command: 'usermgmt migrate --status',
    output: `The database is empty.
site/0000_django_allauth       pending
ledger/0000_ledger             pending
ledger/0001_deletion_user_key  pending`,
  },
]

/** Adds `migrate` to the program. */
export function registerMigrate(program: Command, context: Context): void {
  program
    .command('migrate')
    .summary("create the tool's own tables, and on an empty database those of the site")
    .description(
      "On an empty database, creates a schema that Django and allauth adopt as their own. On a site's database, adds only the usermgmt_* tables. Safe to run again.",
    )
    .addOption(new Option('--status', 'show what has been applied and change nothing').conflicts('dryRun'))
    .option('--dry-run', 'print the SQL and change nothing')
    .addHelpText('after', exampleText(MIGRATE_EXAMPLES))
    .action(async (options: MigrateOptions) => {
      const { migrate } = await import('../actions/migrate.ts')
      await migrate(commandContext(context, program.opts()), options)
    })
}
