import type { Context } from './context.ts'
import { processContext } from './process-context.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

/** Runs the command line (without node and script) and returns the exit code: see `reportError`. */
export async function main(argv: readonly string[], context: Context = processContext()): Promise<number> {
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' })
    await context.stdout.settled()
    return 0
  } catch (error) {
    return reportError(error, context)
  }
}
