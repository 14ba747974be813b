import { type Command, Option } from 'commander'
import { DELETED_FLOOR, DELETED_PERCENT } from '../../users/purge/breaker.ts'
import { FEWEST_USERS, MOST_USERS } from '../../users/purge/hold-time.ts'
import { type Limit, limitFrom } from '../../values/limit.ts'
import { countFrom, textFrom } from '../../values/readers.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { BATCH_SIZE, JOBS } from '../defaults.ts'
import { type Example, exampleText } from '../examples.ts'
import { addArchiveOptions, addCriteriaOptions, type CriteriaOptions, formatOption } from '../options.ts'
import { valueOption } from '../value-option.ts'

const PURGE_FORMATS = ['text', 'json'] as const

export interface PurgeCommandOptions extends CriteriaOptions {
  readonly format: (typeof PURGE_FORMATS)[number]
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly maxDelete?: Limit
  readonly batchSize?: number
  readonly jobs?: number
  /** A directory; false for none. */
  readonly archive?: string | false
  readonly planOut?: string
  readonly plan?: string
  readonly despiteFailures?: boolean
}

/** What the plan has settled. */
const SETTLED: Readonly<Record<Exclude<keyof CriteriaOptions, 'timeZone'> | 'planOut', true>> = {
  since: true,
  joinedBefore: true,
  neverLoggedIn: true,
  remindedBefore: true,
  emailDomain: true,
  user: true,
  usersFrom: true,
  limit: true,
  grace: true,
  include: true,
  protect: true,
  protectFrom: true,
  cascade: true,
  setNull: true,
  planOut: true,
}

export const PURGE_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt purge --since 2020-01-01 --dry-run',
    output: `2 users to delete, of 4 candidates
primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)

Kept (whom two guards keep counts for both)
  1  staff    is staff or superuser
  1  content  has rows that no rule lets go

What keeps them (content), and what would change it
  1  blog_post.author_id  --cascade blog_post.author_id

Rows to delete
  2  account_emailaddress
  2  auth_user`,
  },
  {
    command: 'usermgmt purge --since 2020-01-01 --cascade blog_post --yes --quiet',
    output: `3 users deleted, of 4 candidates

Kept
  1  staff  is staff or superuser

Rows deleted
  3  account_emailaddress
  3  auth_user
  1  blog_post

archive: /srv/site/usermgmt-archive/purge-20250615T120000Z-3f9a1c.ndjson.gz
to put everybody back: usermgmt restore /srv/site/usermgmt-archive/purge-20250615T120000Z-3f9a1c.ndjson.gz`,
  },
  {
    command:
      'usermgmt list --since 2020-01-01 --never-logged-in --format ids --quiet | usermgmt purge --since 2020-01-01 --users-from - --dry-run --format json --quiet',
    output: `{"since":"2020-01-01T00:00:00Z","matched":2,"to_delete":2,"kept":{},"changed":0,"tables":{"account_emailaddress":2,"auth_user":2},"nulled":{},"failed":[],"stopped":null}`,
  },
]

/** Adds `purge` to the program. */
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
        '--plan-out <file>',
        'write the plan into a file for review and change nothing',
        textFrom,
      ).conflicts('yes'),
    )
    .addOption(
      valueOption(
        '--plan <file>',
        'delete exactly those of a reviewed plan who have not changed since',
        textFrom,
      ).conflicts(Object.keys(SETTLED)),
    )
    .addOption(
      valueOption(
        '--max-delete <limit>',
        `refuse to delete more users than this, or more than N% of all (default: ${DELETED_PERCENT}% or ${DELETED_FLOOR}, whichever is more)`,
        limitFrom,
      ),
    )
    .option(
      '--despite-failures',
      'with --reminded-before: also when most reminders of the last run failed, bounced or were cut off',
    )
    .addOption(
      valueOption(
        '--batch-size <number>',
        `users in one transaction (default: on PostgreSQL ${FEWEST_USERS}, or up to ${MOST_USERS} while these are quick; on SQLite ${BATCH_SIZE})`,
        countFrom,
      ),
    )
    .addOption(valueOption('--jobs <number>', `batches at once, on PostgreSQL (default: ${JOBS})`, countFrom))
  addArchiveOptions(command).addOption(formatOption(PURGE_FORMATS))
  addCriteriaOptions(command)
    .addHelpText('after', exampleText(PURGE_EXAMPLES))
    .action(async (options: PurgeCommandOptions) => {
      const { purgeUnverified } = await import('../actions/purge.ts')
      await purgeUnverified(commandContext(context, program.opts()), options)
    })
}
