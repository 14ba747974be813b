import { type Command, Option } from 'commander'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { addArchiveOptions, formatOption } from '../options.ts'

const SWEEP_FORMATS = ['text', 'json', 'ndjson'] as const

export interface SweepOptions {
  readonly format: (typeof SWEEP_FORMATS)[number]
  readonly dryRun?: boolean
  readonly yes?: boolean
  /** A directory; false for none. */
  readonly archive?: string | false
}

export const SWEEP_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt sweep --dry-run',
    output: `3 users to remind, 0 users to delete, of 4 candidates
primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)

Steps
  3  remind  due for a reminder
  1  kept    a guard keeps them

Who
  id  username     email             step         deletion
  ──  ───────────  ────────────────  ───────────  ────────
  2   anna         anna@example.com  remind       -
  3   win-a-prize  x81@mail.example  remind       -
  4   xqzv81       x82@mail.example  remind       -
  1   root         root@example.com  kept: staff  -`,
  },
  {
    command: 'usermgmt sweep --quiet --format json',
    output: `{"reminders":{"since":"2020-01-01T00:00:00Z","matched":4,"sent":3,"bounced":0,"failed":0,"uncertain":0,"kept":{"staff":1},"skipped":{},"changed":0,"problems":[],"stopped":null},"deletions":{"since":"2020-01-01T00:00:00Z","matched":0,"deleted":0,"kept":{},"changed":0,"tables":{},"nulled":{},"failed":[],"stopped":null,"archive":null}}`,
  },
]

/** Adds `sweep` to the program. */
export function registerSweep(program: Command, context: Context): void {
  const command = program
    .command('sweep')
    .summary('remind who is due, then delete who did not react: the policy of the configuration file')
    .description(
      'Follows the policy of the configuration file: reminds whoever is due, then deletes whoever was reminded and has let the date in the mail pass. For cron: without a terminal it does not ask, and running it again does nothing twice.',
    )
    .addOption(new Option('--dry-run', 'show who is at which step, and change nothing').conflicts('yes'))
    .option('--yes', 'do not ask, even at a terminal')
  addArchiveOptions(command)
    .addOption(formatOption(SWEEP_FORMATS, 'text, json, or ndjson: with --dry-run, a candidate in each line'))
    .addHelpText('after', exampleText(SWEEP_EXAMPLES))
    .action(async (options: SweepOptions) => {
      const { sweep } = await import('../actions/sweep.ts')
      await sweep(commandContext(context, program.opts()), options)
    })
}
