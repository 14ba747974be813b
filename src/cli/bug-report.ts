import { isDatabaseError } from '../db/errors.ts'
import { sourceFrames } from './source-frames.ts'

/**
 * Returns the lines that help the authors find a bug: what was thrown and where. Of a database error only the
 * driver's code: Drizzle's message holds SQL and parameters, the driver's may hold values, and both are people's data.
 */
export function bugReport(error: unknown): string[] {
  const chain = causes(error)
  return [
    `this is a bug, please report it at the repository's issue tracker, with these lines`,
    `${isDatabaseError(error) ? databaseError(chain) : String(error)}`,
    ...sourceFrames(framesOf(error)),
  ]
}

function causes(error: unknown): unknown[] {
  const chain = [error]
  for (let at = error; at instanceof Error && at.cause !== undefined; at = at.cause) chain.push(at.cause)
  return chain
}

function databaseError(chain: readonly unknown[]): string {
  const codes = chain.flatMap((error) =>
    error instanceof Error && 'code' in error ? [String(error.code)] : [],
  )
  return `database error ${codes.at(-1) ?? 'without a code'}`
}

/** The stack begins with the message, and that may hold anything: SQL that looks like a frame, too. */
function framesOf(error: unknown): string[] {
  if (!(error instanceof Error) || error.stack === undefined) return []
  const { stack, message } = error
  const frames = stack.slice(Math.max(0, stack.indexOf(message)) + message.length)
  return frames.split('\n').filter((line) => /^ {4}at /.test(line))
}
