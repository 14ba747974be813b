import { type Command, Option } from 'commander'
import { invalid } from '../errors.ts'
import { INCLUDABLE, type IncludableGuard } from '../users/criteria.ts'
import { columnFrom, countFrom, textFrom } from '../values/readers.ts'
import { emailDomainFrom, guardFrom } from './criteria-readers.ts'
import { ARCHIVE_DIRECTORY, GRACE, SINCE } from './defaults.ts'
import { listOption, valueOption } from './value-option.ts'

/** Options as commander delivers them. Dates and ages are still text: they depend on the zone and the clock. */

export interface SelectionOptions {
  readonly since?: string
  readonly joinedBefore?: string
  readonly neverLoggedIn?: boolean
  readonly remindedBefore?: string
  readonly emailDomain?: readonly string[]
  readonly user?: readonly string[]
  readonly usersFrom?: readonly string[]
  readonly limit?: number
  readonly timeZone?: string
}

export interface GuardOptions {
  readonly grace?: string
  readonly include?: readonly IncludableGuard[]
  readonly protect?: readonly string[]
  readonly protectFrom?: readonly string[]
}

export interface RuleOptions {
  readonly cascade?: readonly string[]
  readonly setNull?: readonly string[]
}

export interface CriteriaOptions extends SelectionOptions, GuardOptions, RuleOptions {}

/** Adds what decides who is listed, kept and deleted: the same for every command that selects users. */
export function addCriteriaOptions(command: Command): Command {
  return addRuleOptions(addGuardOptions(addSelectionOptions(command)))
}

/** Adds what decides who is mailed: nothing happens to rows. */
export function addMailCriteriaOptions(command: Command): Command {
  return addGuardOptions(addSelectionOptions(command))
}

function addSelectionOptions(command: Command): Command {
  return command
    .optionsGroup('Who is selected (always: primary address unverified):')
    .addOption(
      valueOption(
        '--since <when>',
        `not logged in since: 2024-01-31, an age (90d, 6mo, 1y) or an instant (default: ${SINCE})`,
        textFrom,
      ),
    )
    .addOption(valueOption('--joined-before <when>', 'joined earlier than this', textFrom))
    .option('--never-logged-in', 'only those who never logged in')
    .addOption(
      valueOption(
        '--reminded-before <when>',
        'only those whose last reminder was delivered at least so long ago: 14d, 2w',
        textFrom,
      ),
    )
    .addOption(
      listOption('--email-domain <domain>', 'only addresses of this domain (repeatable)', emailDomainFrom),
    )
    .addOption(listOption('--user <user>', 'only this id, username or address (repeatable)', textFrom))
    .addOption(
      listOption(
        '--users-from <file>',
        'only the ids in this file, one a line (# begins a comment); - reads standard input (repeatable)',
        textFrom,
      ),
    )
    .addOption(valueOption('--limit <number>', 'at most so many', countFrom))
    .addOption(valueOption('--time-zone <zone>', 'zone of the dates given (default: UTC)', textFrom))
}

function addGuardOptions(command: Command): Command {
  return command
    .optionsGroup('Who is kept:')
    .addOption(
      valueOption(
        '--grace <age>',
        `keep whoever joined, or was written to, within this age; 0 for none (default: ${GRACE})`,
        textFrom,
      ),
    )
    .addOption(
      listOption('--include <guard>', `do not keep: ${INCLUDABLE.join(', ')} (repeatable)`, guardFrom),
    )
    .addOption(
      listOption('--protect <user>', 'keep this id, username, address or @domain (repeatable)', textFrom),
    )
    .addOption(
      listOption(
        '--protect-from <file>',
        'keep all in this file, one a line (# begins a comment); - reads standard input (repeatable)',
        textFrom,
      ),
    )
}

/** Adds where a deletion keeps what it deletes, or that it does not. */
export function addArchiveOptions(command: Command): Command {
  const given = new Set<string>()
  for (const name of ['archive', 'no-archive']) command.on(`option:${name}`, () => given.add(name))
  return command
    .addOption(
      valueOption(
        '--archive <directory>',
        `keep what is deleted in a file here, for restore (default: archive in the configuration file, or else ${ARCHIVE_DIRECTORY})`,
        textFrom,
      ),
    )
    .option('--no-archive', 'keep nothing: what is deleted cannot be put back')
    .hook('preAction', () => {
      // To commander they are one option, whose last value counts.
      if (given.size > 1) throw invalid("option '--archive' cannot be used with option '--no-archive'")
    })
}

function addRuleOptions(command: Command): Command {
  return command
    .optionsGroup('What happens to rows that refer to a user:')
    .addOption(
      listOption('--cascade <table>', "delete the rows of TABLE, TABLE.COLUMN or '*' (repeatable)", textFrom),
    )
    .addOption(
      listOption('--set-null <column>', 'keep the rows, set TABLE.COLUMN to NULL (repeatable)', columnFrom),
    )
}

/** Returns `--format`, whose first choice is the default. */
export function formatOption(choices: readonly string[], description = 'how to print the result'): Option {
  return new Option('--format <format>', description).choices([...choices]).default(choices[0])
}
