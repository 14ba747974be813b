import { CommanderError } from 'commander'
import type { Context } from './context.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

/** Runs the command line (without node and script) and returns the exit code: see `reportError`. */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  try {
    await parse(argv, context).catch(exceptHelp)
    // Waits for what commander has written, which does not wait itself.
    await context.stdout.write('')
    return 0
  } catch (error) {
    return reportError(error, context)
  }
}

async function parse(argv: readonly string[], context: Context): Promise<void> {
  await createProgram(context, argv).parseAsync(argv, { from: 'user' })
}

/** commander ends `--help` and `--version` with an error, too. */
function exceptHelp(error: unknown): void {
  if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error
}
