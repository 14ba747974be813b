import { CommanderError } from 'commander'
import type { ErrorKind, UserError } from '../errors.ts'
import { bugReport } from './bug-report.ts'
import type { Context } from './context.ts'
import { expectedError } from './expected-error.ts'
import { INTERRUPTED, isInterruption } from './interrupted.ts'
import { ClosedOutput } from './output.ts'
import { plainText } from './render/plain-text.ts'

const EXIT_CODES: Record<ErrorKind, number> = { failed: 1, invalid: 2, refused: 3 }
const USAGE = 2

/**
 * Says on standard error what went wrong and returns the exit code: 0 nothing did (the reader of the output has
 * gone), 1 failed, 2 usage, 3 refused for safety, 130 interrupted.
 */
export async function reportError(error: unknown, context: Context): Promise<number> {
  if (error instanceof ClosedOutput) return 0
  if (error instanceof CommanderError) return reportUsage(error, context)
  if (isInterruption(error)) {
    await tell(context, [`interrupted${detail(error)}`])
    return INTERRUPTED
  }
  const expected = expectedError(error)
  await tell(context, expected ? wordsOf(expected) : bugReport(error))
  return expected ? EXIT_CODES[expected.kind] : 1
}

/** Whoever writes `--password` did not mean `--no-password`. */
const OPPOSITE = /('--(\S+)')\n\(Did you mean --no-\2\?\)/

async function reportUsage(error: CommanderError, context: Context): Promise<number> {
  // Help instead of a command: it has been printed already.
  if (error.code === 'commander.help') return USAGE
  const message = error.message
    .replace(/^error: /, '')
    .replace(OPPOSITE, '$1')
    .replace(/\n\(Did/, ' (did')
  await tell(context, [message])
  return USAGE
}

function wordsOf({ message, hint }: UserError): string[] {
  return (hint === undefined ? message : `${message}; ${hint}`).split('\n')
}

function detail(error: unknown): string {
  return error instanceof Error && error.name === 'Interrupted' && error.message ? `: ${error.message}` : ''
}

async function tell(context: Context, [first = '', ...rest]: readonly string[]): Promise<void> {
  const lines = [`usermgmt: ${first}`, ...rest].map((line) => `${plainText(line)}\n`)
  // Nobody is left to be told that nobody can be told.
  await context.stderr.write(lines.join('')).catch(() => {})
}
