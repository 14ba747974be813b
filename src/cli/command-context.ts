import type { Context, GlobalOptions } from './context.ts'
import { type Talk, talkOf } from './talk.ts'

/** What a command works with: everything it touches outside of the database, the program's options, and its talk. */
export interface CommandContext extends Context {
  readonly globals: GlobalOptions
  readonly talk: Talk
}

/** Returns what a command works with when the program has these options. */
export function commandContext(context: Context, globals: GlobalOptions): CommandContext {
  return { ...context, globals, talk: talkOf(context, globals) }
}

/** True when somebody is there to answer a question. */
export function canAsk({ globals, stdin, stderr }: CommandContext): boolean {
  return globals.input && stdin.isTerminal && stderr.isTerminal
}
