import { isatty } from 'node:tty'
import type { Context, Input } from './context.ts'
import { outputTo } from './output.ts'
import { terminalPrompts } from './prompts.ts'

/** Hardly any command reads it, and to make the stream takes a while. */
const STDIN: Input = {
  isTerminal: isatty(0),
  get stream() {
    return process.stdin
  },
}

/** Returns the context of the process itself. */
export function processContext(): Context {
  const { stdout, stderr } = process
  return {
    stdin: STDIN,
    stdout: outputTo(stdout, stdout.isTTY ? { columns: stdout.columns } : undefined),
    stderr: outputTo(stderr, stderr.isTTY ? { columns: stderr.columns } : undefined),
    env: process.env,
    cwd: process.cwd(),
    now: () => new Date(),
    prompts: terminalPrompts(STDIN, stderr),
    untilInterrupted,
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const listen = () => SIGNALS.forEach((signal) => void process.on(signal, stop))
  const unlisten = () => SIGNALS.forEach((signal) => void process.off(signal, stop))
  function stop() {
    // Nobody listens to the second one, so it does what it does to every program.
    unlisten()
    controller.abort()
  }
  listen()
  try {
    return await work(controller.signal)
  } finally {
    unlisten()
  }
}
