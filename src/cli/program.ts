import { Command, CommanderError, Option } from 'commander'
import { packageVersion } from '../package-root.ts'
import { textFrom } from '../values/readers.ts'
import { registerArchive } from './commands/archive.ts'
import { registerCreateUser } from './commands/create-user.ts'
import { registerEmail } from './commands/email.ts'
import { registerHelp } from './commands/help.ts'
import { registerHistory } from './commands/history.ts'
import { registerLink } from './commands/link.ts'
import { registerListUnverified } from './commands/list-unverified.ts'
import { registerMigrate } from './commands/migrate.ts'
import { registerPurge } from './commands/purge.ts'
import { registerRestore } from './commands/restore.ts'
import { registerSweep } from './commands/sweep.ts'
import type { Context } from './context.ts'
import { valueOption } from './value-option.ts'

interface Entry {
  /** The command's name and its aliases. */
  readonly names: readonly string[]
  readonly register: (program: Command, context: Context) => void
}

const COMMANDS: Readonly<Record<string, readonly Entry[]>> = {
  'Look:': [
    { names: ['list-unverified', 'list'], register: registerListUnverified },
    { names: ['archive'], register: registerArchive },
    { names: ['history'], register: registerHistory },
  ],
  'Change:': [
    { names: ['email', 'remind'], register: registerEmail },
    { names: ['link'], register: registerLink },
    { names: ['purge', 'purge-unverified'], register: registerPurge },
    { names: ['sweep'], register: registerSweep },
    { names: ['restore'], register: registerRestore },
    { names: ['create-user'], register: registerCreateUser },
  ],
  'Set up:': [{ names: ['migrate'], register: registerMigrate }],
  'Help:': [{ names: ['help'], register: registerHelp }],
}

/**
 * Returns the grammar for a command line: of the command that it names, and without one the whole. To describe them all
 * takes longer than to read the line. What a command does is loaded when it runs.
 */
export function createProgram(context: Context, argv: readonly string[] = []): Command {
  const program = new Command('usermgmt')
  // Commands made by program.command() inherit these; with addCommand() they would not.
  program
    .exitOverride()
    .configureOutput(outputFor(context))
    .configureHelp({ showGlobalOptions: true })
    .description(
      'Lists, reminds and removes the users of a Django + django-allauth site who never verified their address.',
    )
    .helpOption('-h, --help', 'print this help')
  addVersionOption(program)
  addGlobalOptions(program)
  program.addHelpText('after', EXIT_CODES)
  registerCommands(program, context, program.parseOptions([...argv]).operands[0])
  return program
}

/** Any other name needs them all: to be suggested, or for their help. */
function registerCommands(program: Command, context: Context, asked: string | undefined): void {
  const only = Object.values(COMMANDS)
    .flat()
    .find(({ names }) => asked !== undefined && asked !== 'help' && names.includes(asked))
  const needed = only ? { '': [only] } : COMMANDS
  for (const [group, entries] of Object.entries(needed)) {
    program.commandsGroup(group)
    for (const { register } of entries) register(program, context)
  }
}

/** As commander's own, which must be told the version whether it is asked for or not. */
function addVersionOption(program: Command): void {
  program.option('-V, --version', 'print the version').on('option:version', () => {
    const version = packageVersion()
    program.configureOutput().writeOut?.(`${version}\n`)
    throw new CommanderError(0, 'commander.version', version)
  })
}

function addGlobalOptions(program: Command): void {
  program
    .addOption(
      valueOption(
        '--database <url>',
        'a SQLite file, or postgres://user@host/name (USERMGMT_DATABASE_URL, DATABASE_URL)',
        textFrom,
      ),
    )
    .addOption(
      valueOption(
        '--config <file>',
        'configuration (default: usermgmt.config.json, .yaml or .yml, if there is one)',
        textFrom,
      ),
    )
    .option('--no-color', 'no colours (NO_COLOR)')
    .option('--no-input', 'never ask anything')
    .addOption(new Option('--quiet', 'print nothing but results and errors').conflicts('verbose'))
    .option('--verbose', 'say more')
}

/** Errors are left to the one catch in `run.ts`. */
function outputFor({ stdout, stderr }: Context) {
  return {
    // What goes wrong with the stream shows when the end of the run is written.
    writeOut: (text: string) => void stdout.write(text).catch(() => {}),
    writeErr: (text: string) => void stderr.write(text).catch(() => {}),
    outputError: () => {},
    getOutHelpWidth: () => stdout.columns,
    getErrHelpWidth: () => stderr.columns,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  }
}

const EXIT_CODES = `
Exit codes: 0 done, 1 failed or partly failed, 2 usage, 3 refused for safety, 130 interrupted.
More about a command: usermgmt help COMMAND`
