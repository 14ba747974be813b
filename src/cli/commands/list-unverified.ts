import { type Command, Option } from 'commander'
import type { Context, GlobalOptions } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { addCriteriaOptions, type CriteriaOptions, formatOption } from '../options.ts'

export const LIST_FORMATS = ['table', 'json', 'ndjson', 'csv', 'ids', 'count'] as const
export type ListFormat = (typeof LIST_FORMATS)[number]

export interface ListOptions extends CriteriaOptions {
  readonly format: ListFormat
  readonly fields?: string
  readonly sort?: string
  readonly kept?: boolean
  readonly deletable?: boolean
}

export const LIST_EXAMPLES: readonly Example[] = []

export function registerListUnverified(program: Command, context: Context): void {
  const command = program
    .command('list-unverified')
    .alias('list')
    .summary('list users who never verified their address and have not logged in since a date')
    .description(
      'Lists the users whose primary address is unverified and who have not logged in since a date, and says for each why purge would keep them.',
    )
  addCriteriaOptions(command)
    .optionsGroup('Output:')
    .addOption(formatOption(LIST_FORMATS))
    .option(
      '--fields <names>',
      'of id, username, email, last_login, date_joined, kept_because, first_name, last_name, is_active, is_staff, addresses (default: the first six)',
    )
    .option('--sort <field>', 'by id, username, email, last_login or date_joined; -FIELD for the reverse')
    .addOption(new Option('--kept', 'only those whom purge would keep').conflicts('deletable'))
    .option('--deletable', 'only those whom purge would delete')
    .addHelpText('after', exampleText(LIST_EXAMPLES))
    .action(async (options: ListOptions) => {
      const { listUnverified } = await import('../actions/list-unverified.ts')
      await listUnverified(context, program.opts<GlobalOptions>(), options)
    })
}
