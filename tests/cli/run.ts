import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterAll } from 'vitest'
import type { Context, Prompts } from '../../src/cli/context.ts'
import { main } from '../../src/cli/main.ts'
import { ClosedOutput, type Output, outputTo } from '../../src/cli/output.ts'

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  /** Both, as a terminal would show them. */
  readonly screen: string
}

export interface Situation {
  readonly stdin?: string | Buffer
  /** All three streams; no terminal unless given. */
  readonly terminal?: { readonly columns: number }
  readonly env?: Context['env']
  readonly cwd?: string
  readonly now?: Date
  /** What a person types, prompt by prompt. */
  readonly typed?: readonly string[]
  readonly signal?: AbortSignal
  /** The reader of the result has gone. */
  readonly unread?: boolean
}

/** Without a configuration file; what a command writes there goes with the tests. */
const NOWHERE = mkdtempSync(join(tmpdir(), 'usermgmt-cli-'))
afterAll(() => rmSync(NOWHERE, { recursive: true, force: true }))

const NOW = new Date('2025-06-15T12:00:00Z')

/** Runs the command line in this process. */
export async function usermgmt(args: readonly string[], situation: Situation = {}): Promise<Ran> {
  const { context, stdout, stderr, screen } = contextOf(situation)
  const exit = await main(args, context)
  return { exit, stdout: stdout(), stderr: stderr(), screen: screen() }
}

/** Returns a context whose streams are kept as text. */
export function contextOf({ stdin = '', terminal, env = {}, cwd = NOWHERE, ...rest }: Situation) {
  const screen: string[] = []
  const stdout = collector(screen, terminal)
  const stderr = collector(screen, terminal)
  const context: Context = {
    stdin: { stream: Readable.from([Buffer.from(stdin)]), isTerminal: terminal !== undefined },
    stdout: rest.unread ? { ...stdout.output, write: gone } : stdout.output,
    stderr: stderr.output,
    env,
    cwd,
    now: () => rest.now ?? NOW,
    prompts: typing(rest.typed ?? []),
    untilInterrupted: (work) => work(rest.signal ?? new AbortController().signal),
  }
  return { context, stdout: stdout.text, stderr: stderr.text, screen: () => screen.join('') }
}

async function gone(): Promise<void> {
  throw new ClosedOutput()
}

function collector(screen: string[], terminal: Situation['terminal']): { output: Output; text(): string } {
  let text = ''
  const stream = new Writable({
    decodeStrings: false,
    write(piece: string, _encoding, done) {
      text += piece
      screen.push(piece)
      done()
    },
  })
  return { output: outputTo(stream, terminal), text: () => text }
}

function typing(answers: readonly string[]): Prompts {
  const left = [...answers]
  const answer = async (question: string) => {
    const next = left.shift()
    if (next === undefined) throw new Error(`nobody answers: ${question}`)
    return next
  }
  return { text: answer, hidden: answer }
}
