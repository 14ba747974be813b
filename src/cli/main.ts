import { packageVersion } from '../package-root.ts'
import type { Context } from './context.ts'
import { processContext } from './process-context.ts'

const VERSION = ['--version', '-V']

/** Runs the command line (without node and script) and returns the exit code: see `reportError`. */
export async function main(argv: readonly string[], context: Context = processContext()): Promise<number> {
  // Scripts ask for it, often: the grammar of all commands need not be loaded for that.
  if (argv.length === 1 && VERSION.includes(argv[0] ?? '') && (await hasPrintedVersion(context))) return 0
  const { run } = await import('./run.ts')
  return run(argv, context)
}

/** False when it cannot: whoever tries again knows how to say why. */
async function hasPrintedVersion({ stdout }: Context): Promise<boolean> {
  try {
    await stdout.write(`${packageVersion()}\n`)
    return true
  } catch {
    return false
  }
}
