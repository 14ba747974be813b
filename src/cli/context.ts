import type { Output } from './output.ts'

/** Everything a command touches outside of the database; a test gives its own. */
export interface Context {
  readonly stdin: Input
  /** The result, and nothing else. */
  readonly stdout: Output
  /** Talk. */
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  now(): Date
  readonly prompts: Prompts
  /**
   * Runs work that can stop in good order: the first Ctrl-C (or SIGTERM, or the loss of the terminal) aborts the
   * signal, the second one ends the process at once. Outside of this, the first one does.
   */
  untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

export interface Input {
  readonly stream: NodeJS.ReadableStream
  readonly isTerminal: boolean
}

/** Questions to the person at the terminal. */
export interface Prompts {
  text(question: string, look: Look): Promise<string>
  /** Without showing what is typed. */
  hidden(question: string, look: Look): Promise<string>
}

export interface Look {
  readonly colors: boolean
}

/** Options of the program itself, given before or after the command. */
export interface GlobalOptions {
  readonly database?: string
  readonly config?: string
  readonly color: boolean
  readonly input: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}
