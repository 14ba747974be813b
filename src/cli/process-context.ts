import { UserError } from '../errors.ts'
import type { Context, Input } from './context.ts'
import { mayBeTerminal, outputOf } from './output.ts'
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

const STOPPING = ['SIGINT', 'SIGTERM'] as const

/** The terminal is gone: its window was closed, or the connection to it lost. */
const HANG_UP = 'SIGHUP'

/** Returns the context of the process itself. */
export function processContext(): Context {
  const onTerminal = [0, 1, 2].some(mayBeTerminal)
  // `nohup` leaves no stream on the terminal, and has the signal ignored, which Node takes back.
  if (!onTerminal) ignoreHangUps()
  const signals: readonly NodeJS.Signals[] = onTerminal ? [...STOPPING, HANG_UP] : STOPPING
  return {
    stdin: STDIN,
    stdout: outputOf(1, () => process.stdout),
    stderr: outputOf(2, () => process.stderr),
    env: process.env,
    // Asked for when it is needed: it may be gone.
    get cwd() {
      return currentDirectory()
    },
    now: () => new Date(),
    prompts: terminalPrompts(STDIN, () => process.stderr),
    untilInterrupted: (work) => untilSignal(signals, work),
  }
}

function currentDirectory(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new UserError('the current directory is not there any more', { hint: 'go to one that is', cause })
  }
}

async function untilSignal<T>(
  signals: readonly NodeJS.Signals[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const listen = () => signals.forEach((signal) => void process.on(signal, stop))
  const unlisten = () => signals.forEach((signal) => void process.off(signal, stop))
  function stop(signal: NodeJS.Signals) {
    // Nobody listens to the second one, so it does what it does to every program.
    unlisten()
    if (signal === HANG_UP) endByHangUp()
    controller.abort()
  }
  listen()
  try {
    return await work(controller.signal)
  } finally {
    unlisten()
  }
}

function ignoreHangUps(): void {
  process.on(HANG_UP, () => {})
}

/** Lets what is at hand end, and the process then as if it had not listened: Node's own end needs the terminal. */
function endByHangUp(): void {
  // Both the shell and the system may tell of one.
  ignoreHangUps()
  process.once('exit', () => {
    process.removeAllListeners(HANG_UP)
    process.kill(process.pid, HANG_UP)
  })
}
