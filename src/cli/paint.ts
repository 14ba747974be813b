import type { CommandContext } from './command-context.ts'
import type { Context, Look } from './context.ts'
import type { Output } from './output.ts'
import { PLAIN, type Style } from './render/style.ts'

const SIXTEEN_COLORS = 1

/** Returns the style for this output: plain when colours are not wanted (--no-color, NO_COLOR) or cannot be seen. */
export async function styleFor(output: Output, context: CommandContext): Promise<Style> {
  if (!lookOf(output, context).colors) return PLAIN
  const { Chalk } = await import('chalk')
  const chalk = new Chalk({ level: SIXTEEN_COLORS })
  return { heading: chalk.bold, warning: chalk.yellow }
}

/** Returns how questions look on this output. */
export function lookOf(output: Output, { env, globals }: CommandContext): Look {
  return { colors: globals.color && colorful(output, env) }
}

/** https://no-color.org, and FORCE_COLOR as chalk reads it. */
function colorful(output: Output, { NO_COLOR, FORCE_COLOR, TERM }: Context['env']): boolean {
  if (NO_COLOR) return false
  if (FORCE_COLOR !== undefined) return !['0', 'false'].includes(FORCE_COLOR)
  return output.isTerminal && TERM !== 'dumb'
}
