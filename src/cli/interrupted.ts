/** The exit code, as of a shell's own commands: 128 and the number of SIGINT. */
export const INTERRUPTED = 130

/** The person pressed Ctrl-C, and what was at hand has ended in good order. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** True for the end of a run that a person asked for; inquirer has errors of its own for it. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Error && INTERRUPTIONS.has(error.name)
}

const INTERRUPTIONS = new Set(['Interrupted', 'ExitPromptError', 'AbortPromptError'])
