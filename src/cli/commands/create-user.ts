import { type Command, Option } from 'commander'
import { textFrom } from '../../values/readers.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { listOption, valueOption } from '../value-option.ts'

export interface CreateUserOptions {
  readonly email?: string
  readonly passwordStdin?: boolean
  /** False for `--no-password`: an account that cannot log in with one. */
  readonly password: boolean
  readonly firstName?: string
  readonly lastName?: string
  readonly staff?: boolean
  readonly superuser?: boolean
  readonly inactive?: boolean
  readonly verified?: boolean
  readonly group?: readonly string[]
  readonly dateJoined?: string
  readonly lastLogin?: string
  readonly timeZone?: string
  readonly porcelain?: boolean
}

export const CREATE_USER_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt create-user dora --email dora@example.com --verified --no-password',
    output: `created dora <dora@example.com> with id 7`,
  },
  {
    command: 'usermgmt create-user --email emil@example.com --no-password --porcelain',
    output: `7`,
  },
]

/** Adds `create-user` to the program. */
export function registerCreateUser(program: Command, context: Context): void {
  program
    .command('create-user')
    .summary('create a user as Django and allauth would')
    .description(
      'Creates a user with a primary address, as Django and allauth would. Asks for what is missing when there is a terminal.',
    )
    .argument('[username]')
    .optionsGroup('Account:')
    .addOption(valueOption('--email <address>', 'the primary address', textFrom))
    .option('--verified', 'the address counts as verified')
    .option('--first-name <name>', 'first name')
    .option('--last-name <name>', 'last name')
    .option('--staff', 'may enter the admin')
    .option('--superuser', 'may do everything')
    .option('--inactive', 'may not log in')
    .addOption(listOption('--group <name>', 'put into this group (repeatable)', textFrom))
    .addOption(valueOption('--date-joined <when>', 'a past date or instant (default: now)', textFrom))
    .addOption(valueOption('--last-login <when>', 'a past date or instant (default: never)', textFrom))
    .addOption(valueOption('--time-zone <zone>', 'zone of the dates given (default: UTC)', textFrom))
    .optionsGroup('Password (asked for, unless):')
    .addOption(new Option('--password-stdin', 'the first line of standard input').conflicts('password'))
    .option('--no-password', 'none: the user sets one by mail')
    .optionsGroup('Output:')
    .option('--porcelain', 'print the id and nothing else')
    .addHelpText('after', exampleText(CREATE_USER_EXAMPLES))
    .action(async (username: string | undefined, options: CreateUserOptions) => {
      const { createUser } = await import('../actions/create-user.ts')
      await createUser(commandContext(context, program.opts()), username, options)
    })
}
