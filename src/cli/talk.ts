import type { Context, GlobalOptions } from './context.ts'
import { plainText } from './render/plain-text.ts'

/** What a command says beside its result, on standard error; errors are not talk. */
export interface Talk {
  /** Silenced by --quiet. */
  say(...lines: string[]): Promise<void>
  /** Only with --verbose. */
  detail(...lines: string[]): Promise<void>
}

export function talkOf(context: Context, globals: GlobalOptions): Talk {
  // Whoever closed standard error does not want to listen; the work goes on.
  const write = (lines: string[]) =>
    context.stderr.write(lines.map((line) => `${plainText(line)}\n`).join('')).catch(() => {})
  return {
    say: async (...lines) => (globals.quiet ? undefined : write(lines)),
    detail: async (...lines) => (globals.verbose ? write(lines) : undefined),
  }
}
