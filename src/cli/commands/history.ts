import type { Command } from 'commander'
import { countFrom, textFrom } from '../../values/readers.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { HISTORY_RUNS } from '../defaults.ts'
import { type Example, exampleText } from '../examples.ts'
import { formatOption } from '../options.ts'
import { valueOption } from '../value-option.ts'

const HISTORY_FORMATS = ['text', 'json', 'ndjson'] as const

export interface HistoryOptions {
  readonly format: (typeof HISTORY_FORMATS)[number]
  readonly limit?: number
  readonly email?: string
}

export const HISTORY_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt history',
    output: `run       started               command  by        outcome  result
────────  ────────────────────  ───────  ────────  ───────  ─────────
7f3c0a52  2025-06-15T12:00:00Z  purge    ann@web1  done     2 deleted`,
  },
  {
    command: 'usermgmt history --email nobody@mail.example',
    output: 'no run has deleted a user with this primary address',
  },
]

/** Adds `history` to the program. */
export function registerHistory(program: Command, context: Context): void {
  program
    .command('history')
    .argument('[run]', 'the id of a run, or how it begins: shows all about it')
    .summary('who has been deleted, mailed, restored or created, when and by whom')
    .description(
      'Shows the runs that the ledger holds, the latest first: of purge, email, sweep, restore, create-user and link. With an id, all about that run. Addresses are kept as SHA-256 only. An outcome is unknown when the run recorded no end, and lost when the record of the run itself has gone.',
    )
    .addOption(valueOption('--limit <number>', `at most so many runs (default: ${HISTORY_RUNS})`, countFrom))
    .addOption(
      valueOption('--email <address>', 'only runs that deleted a user with this primary address', textFrom),
    )
    .addOption(
      formatOption(
        HISTORY_FORMATS,
        'text, json, or ndjson: a run in each line; of one run, a deleted or reminded user in each line',
      ),
    )
    .addHelpText('after', exampleText(HISTORY_EXAMPLES))
    .action(async (run: string | undefined, options: HistoryOptions) => {
      const { showHistory } = await import('../actions/history.ts')
      await showHistory(commandContext(context, program.opts()), run, options)
    })
}
