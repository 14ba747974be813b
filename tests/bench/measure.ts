import { type SpawnOptions, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'

/** One run of a program: how long it took, and the most memory it held. */
export interface Measured {
  readonly seconds: number
  /** Undefined where the system does not tell. */
  readonly peakMegabytes: number | undefined
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd?: string | undefined
  readonly env?: NodeJS.ProcessEnv
  /** Given to it on its standard input. */
  readonly stdin?: string
  /** A file descriptor for its standard output; nobody reads it when it is left out. */
  readonly stdout?: number
}

const WATCH_MILLISECONDS = 20

/** Runs the command to its end. Throws with its last words when it fails: a figure of a failed run is none. */
export async function timed(command: Command): Promise<Measured> {
  const { program, args, stdin, stdout = 'ignore' } = command
  const stdio: SpawnOptions['stdio'] = [stdin === undefined ? 'ignore' : 'pipe', stdout, 'pipe']
  const began = performance.now()
  const child = spawn(program, args, { cwd: command.cwd, env: command.env, stdio })
  let words = ''
  child.stderr?.on('data', (piece) => {
    words = `${words}${piece}`.slice(-2_000)
  })
  child.stdin?.end(stdin)
  let peakMegabytes: number | undefined
  const watch = setInterval(async () => {
    peakMegabytes = (await peakOf(child.pid)) ?? peakMegabytes
  }, WATCH_MILLISECONDS)
  try {
    const exit = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (exit !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${exit}\n${words}`)
    return { seconds: (performance.now() - began) / 1000, peakMegabytes }
  } finally {
    clearInterval(watch)
  }
}

/** The kernel keeps the highest value itself, so a look now and then misses only what comes right at the end. */
async function peakOf(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

/** Returns how long the work took, in seconds. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** Returns the middle one; of an even number the higher of the two. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** True when the program can be started. */
export async function isThere(program: string, ...args: string[]): Promise<boolean> {
  return timed({ program, args }).then(
    () => true,
    () => false,
  )
}
