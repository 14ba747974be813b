import { type Command, Option } from 'commander'
import { textFrom } from '../../values/readers.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { formatOption } from '../options.ts'
import { listOption } from '../value-option.ts'

export interface RestoreCommandOptions {
  readonly user?: readonly string[]
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly anyDatabase?: boolean
  readonly format: 'text' | 'json'
}

export const RESTORE_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt restore usermgmt-archive/purge-20250615T120000Z-3f9a1c.ndjson.gz --yes',
    output: `4 rows put back

Rows
  2  auth_user
  2  account_emailaddress

the next purge that selects them deletes them again, unless they are protected; a sweep reminds them first`,
  },
]

/** Adds `restore` to the program. */
export function registerRestore(program: Command, context: Context): void {
  program
    .command('restore')
    .argument('<file>', 'an archive that purge has written')
    .summary('put back what a purge has deleted')
    .description(
      'Puts back every row of an archive exactly as it was. Rows that are there already are left as they are, so it can be run again; but a reference that was to be set to NULL, and is NULL by now, is filled in, also when the site has emptied it since. When somebody else has the id of a user by now, nothing of that user is put back. A dry run tries and takes it back; once something fails in it, nobody else can write to a SQLite site until it ends.',
    )
    .addOption(listOption('--user <user>', 'only this id, username or address (repeatable)', textFrom))
    .addOption(new Option('--dry-run', 'show what would be put back, and change nothing').conflicts('yes'))
    .option('--yes', 'put back without asking')
    .option('--any-database', 'also when the archive comes from another database of the same kind')
    .addOption(formatOption(['text', 'json']))
    .addHelpText('after', exampleText(RESTORE_EXAMPLES))
    .action(async (file: string, options: RestoreCommandOptions) => {
      const { restoreArchive } = await import('../actions/restore.ts')
      await restoreArchive(commandContext(context, program.opts()), file, options)
    })
}
