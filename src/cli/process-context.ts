import type { Context, Input } from './context.ts'
import { outputOf } from './output.ts'
import { terminalPrompts } from './prompts.ts'

/** Hardly any command reads it or asks, and to load what does takes a while. */
const STDIN: Input = {
  get isTerminal() {
    return process.getBuiltinModule('node:tty').isatty(0)
  },
  get stream() {
    return process.stdin
  },
}

/** Returns the context of the process itself. */
export function processContext(): Context {
  return {
    stdin: STDIN,
    stdout: outputOf(1, () => process.stdout),
    stderr: outputOf(2, () => process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => new Date(),
    prompts: terminalPrompts(STDIN, () => process.stderr),
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
