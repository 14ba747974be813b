import { type Command, Option } from 'commander'
import type { MaxDelete } from '../../users/breaker.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { addCriteriaOptions, type CriteriaOptions, formatOption } from '../options.ts'
import { countFrom, maxDeleteFrom, valueOption } from '../values.ts'

export const PURGE_FORMATS = ['text', 'json'] as const

export interface PurgeCommandOptions extends CriteriaOptions {
  readonly format: (typeof PURGE_FORMATS)[number]
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly maxDelete?: MaxDelete
  readonly batchSize?: number
  readonly jobs?: number
}

export const PURGE_EXAMPLES: readonly Example[] = []

export function registerPurge(program: Command, context: Context): void {
  const command = program
    .command('purge')
    .alias('purge-unverified')
    .summary('delete those users, with everything that belongs to the account')
    .description(
      'Deletes the users that list-unverified lists and no guard keeps, with everything that belongs to the account. Shows the plan and asks first.',
    )
    .optionsGroup('How it runs:')
    .addOption(new Option('--dry-run', 'show the plan and change nothing').conflicts('yes'))
    .option('--yes', 'delete without asking')
    .addOption(
      valueOption(
        '--max-delete <limit>',
        'refuse to delete more users than this, or more than N% of all (default: 50%, or 100)',
        maxDeleteFrom,
      ),
    )
    .addOption(valueOption('--batch-size <number>', 'users in one transaction (default: 1000)', countFrom))
    .addOption(valueOption('--jobs <number>', 'batches at once, on PostgreSQL (default: 1)', countFrom))
    .addOption(formatOption(PURGE_FORMATS))
  addCriteriaOptions(command)
    .addHelpText('after', exampleText(PURGE_EXAMPLES))
    .action(async (options: PurgeCommandOptions) => {
      const { purgeUnverified } = await import('../actions/purge.ts')
      await purgeUnverified(context, program.opts<GlobalOptions>(), options)
    })
}
