import { type Command, Option } from 'commander'
import { DEFAULT_FIELDS, LIST_FIELDS, SORT_FIELDS } from '../../users/list-fields.ts'
import { textFrom } from '../../values/readers.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { addCriteriaOptions, type CriteriaOptions, formatOption } from '../options.ts'
import { valueOption } from '../value-option.ts'

const LIST_FORMATS = ['table', 'json', 'ndjson', 'csv', 'ids', 'count'] as const
export type ListFormat = (typeof LIST_FORMATS)[number]

export interface ListOptions extends CriteriaOptions {
  readonly format: ListFormat
  readonly fields?: string
  readonly sort?: string
  readonly kept?: boolean
  readonly deletable?: boolean
}

export const LIST_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt list-unverified --since 2020-01-01',
    output: `primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)
id  username     email             last_login                   date_joined           kept_because
──  ───────────  ────────────────  ───────────────────────────  ────────────────────  ────────────
1   root         root@example.com  2019-06-01T08:00:00Z         2019-05-01T00:00:00Z  staff
2   anna         anna@example.com  2019-05-02T09:30:00.250000Z  2019-05-01T10:00:00Z  content
3   win-a-prize  x81@mail.example  never                        2019-11-20T03:12:45Z  -
4   xqzv81       x82@mail.example  never                        2019-11-20T03:12:46Z  -

4 candidates: 2 can be deleted; kept: 1 staff, 1 content`,
  },
  {
    command: 'usermgmt list --since 2020-01-01 --never-logged-in --format csv --fields id,email,date_joined',
    output: `primary address unverified, never logged in
id,email,date_joined
3,x81@mail.example,2019-11-20T03:12:45Z
4,x82@mail.example,2019-11-20T03:12:46Z`,
  },
  {
    command: 'usermgmt list --since 2020-01-01 --deletable --format count --quiet',
    output: `2`,
  },
]

/** Adds `list-unverified` to the program. */
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
    .addOption(
      valueOption(
        '--fields <names>',
        `of ${LIST_FIELDS.join(', ')} (default: the first ${DEFAULT_FIELDS.length})`,
        textFrom,
      ),
    )
    .addOption(
      valueOption('--sort <field>', `by ${SORT_FIELDS.join(', ')}; -FIELD for the reverse`, textFrom),
    )
    .addOption(new Option('--kept', 'only those whom purge would keep').conflicts('deletable'))
    .option('--deletable', 'only those whom purge would delete')
    .addHelpText('after', exampleText(LIST_EXAMPLES))
    .action(async (options: ListOptions) => {
      const { listUnverified } = await import('../actions/list-unverified.ts')
      await listUnverified(commandContext(context, program.opts()), options)
    })
}
