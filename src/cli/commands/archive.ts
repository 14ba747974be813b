import type { Command } from 'commander'
import { textFrom } from '../../values/readers.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { ARCHIVE_DIRECTORY } from '../defaults.ts'
import { type Example, exampleText } from '../examples.ts'
import { valueOption } from '../value-option.ts'

export interface PruneOptions {
  readonly olderThan: string
  readonly archive?: string
}

export const ARCHIVE_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt archive show usermgmt-archive/purge-20250615T120000Z-3f9a1c.ndjson.gz',
    output: '3\twin-a-prize\tx81@mail.example\n4\txqzv81\tx82@mail.example',
  },
  { command: 'usermgmt archive prune --older-than 30d', output: '0 archives removed, 1 kept' },
]

/** Adds `archive` and its commands to the program. */
export function registerArchive(program: Command, context: Context): void {
  const archive = program
    .command('archive')
    .helpCommand(false)
    .summary('look into the archives of purges, and remove old ones')
    .description('Shows who is in an archive that purge has written, and removes old archives.')
    .addHelpText('after', exampleText(ARCHIVE_EXAMPLES))
  archive
    .command('show')
    .argument('<file>', 'an archive that purge has written')
    .description('Prints who is in an archive, one a line: id, username, address.')
    .action(async (file: string) => {
      const { showArchive } = await import('../actions/archive.ts')
      await showArchive(commandContext(context, program.opts()), file)
    })
  archive
    .command('prune')
    .description(
      'Removes old archives: they hold personal data. One that a purge may still be writing stays.',
    )
    .addOption(
      valueOption('--older-than <age>', 'remove what is older: 30d, 6mo, 1y', textFrom).makeOptionMandatory(),
    )
    .addOption(
      valueOption(
        '--archive <directory>',
        `where they are (default: archive in the configuration file, or else ${ARCHIVE_DIRECTORY})`,
        textFrom,
      ),
    )
    .action(async (options: PruneOptions) => {
      const { pruneOldArchives } = await import('../actions/archive.ts')
      await pruneOldArchives(commandContext(context, program.opts()), options)
    })
}
