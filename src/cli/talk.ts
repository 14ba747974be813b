import type { Context, GlobalOptions } from './context.ts'
import { plainText } from './render/plain-text.ts'

/** What a command says beside its result, on standard error; errors are not talk. */
export interface Talk {
  /** Silenced by --quiet. */
  say(...lines: string[]): Promise<void>
  /** As `say`, for text that has been laid out and is safe to show. */
  show(text: string): Promise<void>
  /** Only with --verbose. */
  detail(...lines: string[]): Promise<void>
}

/** Returns the talk of a run: nothing of it with `--quiet`, the details with `--verbose`. */
export function talkOf(context: Context, globals: GlobalOptions): Talk {
  // Whoever closed standard error does not want to listen; the work goes on.
  const show = (text: string) => context.stderr.write(text).catch(() => {})
  const say = (lines: string[]) => show(lines.map((line) => `${plainText(line)}\n`).join(''))
  return {
    say: async (...lines) => (globals.quiet ? undefined : say(lines)),
    show: async (text) => (globals.quiet ? undefined : show(text)),
    detail: async (...lines) => (globals.verbose ? say(lines) : undefined),
  }
}
