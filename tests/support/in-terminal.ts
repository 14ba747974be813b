import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BIN } from './command.ts'

const IN_TERMINAL = fileURLToPath(new URL('in-terminal.py', import.meta.url))

export interface TerminalEnded {
  /** Negative: the signal that ended it. */
  readonly exit: number
  /** Whether the text to wait for has come. */
  readonly shown: boolean
  readonly screen: string
}

/**
 * Runs the command on a terminal of its own. When the screen shows `until`, types the text, or takes the terminal away
 * when there is none.
 */
export async function runInTerminal(
  args: readonly string[],
  { until, type = '' }: { readonly until: string; readonly type?: string },
): Promise<TerminalEnded> {
  const command = [IN_TERMINAL, until, type, process.execPath, BIN, ...args]
  return JSON.parse((await promisify(execFile)('python3', command)).stdout)
}
