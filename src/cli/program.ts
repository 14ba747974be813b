import { Command, Option } from 'commander'
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

/** Returns the whole grammar. What a command does is loaded when it runs. */
export function createProgram(context: Context): Command {
  const program = new Command('usermgmt')
  // Commands made by program.command() inherit these; with addCommand() they would not.
  program
    .exitOverride()
    .configureOutput(outputFor(context))
    .configureHelp({ showGlobalOptions: true })
    .description(
      'Lists, reminds and removes the users of a Django + django-allauth site who never verified their address.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
  addGlobalOptions(program)
  program.commandsGroup('Look:')
  registerListUnverified(program, context)
  registerArchive(program, context)
  registerHistory(program, context)
  program.commandsGroup('Change:')
  registerEmail(program, context)
  registerLink(program, context)
  registerPurge(program, context)
  registerSweep(program, context)
  registerRestore(program, context)
  registerCreateUser(program, context)
  program.commandsGroup('Set up:')
  registerMigrate(program, context)
  program.commandsGroup('Help:')
  registerHelp(program)
  return program.addHelpText('after', EXIT_CODES)
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
        'configuration (default: usermgmt.config.json or .yaml, if there is one)',
        textFrom,
      ),
    )
    .option('--no-color', 'no colours (NO_COLOR)')
    .option('--no-input', 'never ask anything')
    .addOption(new Option('--quiet', 'say nothing but errors').conflicts('verbose'))
    .option('--verbose', 'say more')
}

/** Errors are left to the one catch in `main`. */
function outputFor({ stdout, stderr }: Context) {
  return {
    // What goes wrong with the stream shows when `main` writes its last.
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
