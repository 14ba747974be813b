import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The command, as built last. */
export const BIN = fileURLToPath(new URL('../../bin/usermgmt.js', import.meta.url))

export interface Ended {
  /** As a shell has it: a signal that ends the process counts from 128. */
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Returns once it has said the words on standard error. Throws when it ends without them. */
  said(words: string): Promise<void>
}

export interface StartOptions {
  readonly cwd?: string
  /** A command line that runs the one it is followed by: `setpriv …`. */
  readonly through?: readonly string[]
}

/** Starts the command as a process of its own. */
export function startCommand(args: readonly string[], { cwd, through = [] }: StartOptions = {}): Started {
  const [program = '', ...rest] = [...through, process.execPath, BIN, ...args]
  const child = spawn(program, rest, { ...(cwd && { cwd }), stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const ended = closed(child).then(([code, signal]) => ({
    exit: code ?? 128 + (signal ? constants.signals[signal] : 0),
    ...output,
  }))
  async function said(words: string): Promise<void> {
    while (!output.stderr.includes(words)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`it has only said:\n${output.stderr}`)
      await pause(5)
    }
  }
  return { child, ended, said }
}

/** Runs the command as a process of its own, to its end. */
export function runCommand(args: readonly string[], options?: StartOptions): Promise<Ended> {
  return startCommand(args, options).ended
}

function closed(child: ChildProcess) {
  return once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
}
