import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { type Message, sourceOf } from './message.ts'
import { cleanReply, type MailOutcome, type Transport } from './transport.ts'

const USUAL_PATH = '/usr/sbin/sendmail'

/** sysexits.h */
const EXITS: Record<number, MailOutcome['kind']> = { 67: 'bounced', 68: 'bounced', 75: 'deferred' }

/** Bytes: enough for the last line of what a program has to say. */
const LAST_WORDS = 2_000

/** Returns a transport that hands mails to the program of this machine. Throws a UserError when it is not there. */
export function sendmailTransport(path = USUAL_PATH): Transport {
  if (!existsSync(path)) {
    throw new UserError(`there is no program ${path}`, {
      hint: 'name it: mail.sendmail in the configuration file, or --sendmail PATH',
    })
  }
  return {
    async send(message) {
      const { from, to } = message.envelope
      // The program would read it as an option.
      if ([from, ...to].some((address) => /^"?-/.test(address))) {
        return { kind: 'refused', reply: 'the address cannot be given to a program' }
      }
      return outcomeOf(await handOver(path, ['-i', '-f', from, ...to], message))
    },
    async close() {},
  }
}

interface Ending {
  readonly code: number | null
  readonly signal: string | null
  /** It was handed the mail to its end. */
  readonly hasAll: boolean
  /** The last line that it has written to its standard error. */
  readonly lastLine: string
}

/** Throws a UserError when the program cannot be started. */
async function handOver(path: string, args: readonly string[], message: Message): Promise<Ending> {
  const source = await sourceOf(message, 'unix')
  // No pipe: what the program leaves running would keep it open, or be killed by its next word after the end.
  const words = await scratchFile()
  try {
    // In a group of its own: Ctrl-C at the terminal is for usermgmt, which waits for the mails at hand.
    const program = spawn(path, args, { stdio: ['pipe', 'ignore', words.fd], detached: true })
    const ended = once(program, 'exit')
    // It does not want all of the mail; how it ends says more.
    program.stdin?.on('error', () => {}).end(source)
    const [code, signal] = await ended.catch((error) => {
      throw new UserError(`the program ${path} cannot be started: ${fileReason(error)}`)
    })
    const lastLine = code === 0 ? '' : await lastLineOf(words)
    return { code, signal, hasAll: program.stdin?.writableFinished === true, lastLine }
  } finally {
    await words.close()
  }
}

/** Returns a file without a name, which goes when nobody has it open any more. */
async function scratchFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `usermgmt-${randomUUID()}`)
  try {
    const file = await open(path, 'wx+', 0o600)
    await rm(path)
    return file
  } catch (cause) {
    throw new UserError(`nothing can be written in ${tmpdir()}: ${fileReason(cause)}`, {
      hint: 'name another directory in TMPDIR',
      cause,
    })
  }
}

async function lastLineOf(file: FileHandle): Promise<string> {
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(LAST_WORDS),
    position: Math.max(0, size - LAST_WORDS),
  })
  return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').at(-1) ?? ''
}

function outcomeOf({ code, signal, hasAll, lastLine }: Ending): MailOutcome {
  const said = lastLine === '' ? '' : `: ${lastLine}`
  // A program that was killed, or did not read to the end, may have passed the mail on.
  if (code === null)
    return { kind: 'uncertain', reply: cleanReply(`the program was ended by ${signal}${said}`) }
  if (code !== 0) {
    return {
      kind: EXITS[code] ?? 'refused',
      reply: cleanReply(`the program exited with code ${code}${said}`),
    }
  }
  if (!hasAll) return { kind: 'uncertain', reply: 'the program ended before it had read the mail' }
  return { kind: 'sent', reply: 'the program has taken the mail' }
}
