import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { type Message, sourceOf } from './message.ts'
import { cleanReply, type MailOutcome, type Transport } from './transport.ts'

const USUAL_PATH = '/usr/sbin/sendmail'

const OURS = /^(USERMGMT_|DATABASE_URL$|PG)/

/** sysexits.h */
const EXITS: Record<number, MailOutcome['kind']> = { 67: 'bounced', 68: 'bounced', 75: 'deferred' }

/** Bytes: enough for the last line of what a program has to say. */
const LAST_WORDS = 2_000

/** As long as a mail server may be silent: the program may be waiting for one. */
const LIMIT_MILLISECONDS = 300_000

/**
 * Returns a transport that hands mails to the program of this machine, which is given so long for each. Throws a
 * UserError when it is not there.
 */
export function sendmailTransport(path = USUAL_PATH, limitMilliseconds = LIMIT_MILLISECONDS): Transport {
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
      return outcomeOf(await handOver(path, ['-i', '-f', from, ...to], message, limitMilliseconds))
    },
    async close() {},
  }
}

interface Ending {
  readonly code: number | null
  /** That, in words. */
  readonly how: string
  /** How much of the mail it has read. */
  readonly hasRead: 'all' | 'some' | 'nothing'
  /** The last line that it has written to its standard error. */
  readonly lastLine: string
}

/**
 * Files instead of pipes: how far the mail was read is known, and what the program leaves running holds up nobody.
 * Throws a UserError when the program cannot be started.
 */
async function handOver(
  path: string,
  args: readonly string[],
  message: Message,
  limitMilliseconds: number,
): Promise<Ending> {
  const source = await sourceOf(message, 'unix')
  return withScratchFile(source, (mail) =>
    withScratchFile('', async (words) => {
      // In a group of its own: Ctrl-C at the terminal is for usermgmt, which waits for the mails at hand.
      const program = spawn(path, args, {
        stdio: [mail.fd, 'ignore', words.fd],
        detached: true,
        env: withoutOurs(process.env),
      })
      const { code, how } = await endOf(program, limitMilliseconds).catch((error) => {
        throw new UserError(`the program ${path} cannot be started: ${fileReason(error)}`)
      })
      const lastLine = code === 0 ? '' : await lastLineOf(words)
      return { code, how, hasRead: await hasReadOf(mail, code), lastLine }
    }),
  )
}

/** Returns how the program has ended; one that has not by then is killed with its group. Throws when it did not start. */
async function endOf(
  program: ChildProcess,
  limitMilliseconds: number,
): Promise<Pick<Ending, 'code' | 'how'>> {
  const limit = AbortSignal.timeout(limitMilliseconds)
  try {
    const [code, signal] = await once(program, 'exit', { signal: limit })
    return { code, how: code === null ? `was ended by ${signal}` : `exited with code ${code}` }
  } catch (error) {
    if (program.pid === undefined) throw error
    killGroup(program.pid)
    // One that has become somebody else's cannot be killed, and is not waited for either.
    program.unref()
    return { code: null, how: `had not ended after ${limitMilliseconds / 1000} seconds` }
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It has just ended, or may not be killed.
  }
}

/** The program needs no secret of ours, nor of the database. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name)))
}

/** Returns what the work returns, with a file of this content that has no name and goes with whoever has it open. */
async function withScratchFile<T>(
  content: Buffer | string,
  work: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await scratchFile(content)
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

async function scratchFile(content: Buffer | string): Promise<FileHandle> {
  const path = join(tmpdir(), `usermgmt-${randomUUID()}`)
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600 })
    return await open(path, 'r+')
  } catch (cause) {
    throw new UserError(`nothing can be written in ${tmpdir()}: ${fileReason(cause)}`, {
      hint: 'name another directory in TMPDIR',
      cause,
    })
  } finally {
    await rm(path, { force: true })
  }
}

/**
 * The program and this process share the position in the file. To read the rest takes it from what the program leaves
 * running: right when the mail may be tried again, and wrong when the program has said that it takes the mail.
 */
async function hasReadOf(mail: FileHandle, code: number | null): Promise<Ending['hasRead']> {
  const { size } = await mail.stat()
  const told = code === 0 ? await positionIn(mail) : undefined
  const position = told ?? size - (await readRest(mail, size))
  if (position === 0) return 'nothing'
  return position < size ? 'some' : 'all'
}

/** Only Linux tells it, without a touch: proc(5). */
async function positionIn({ fd }: FileHandle): Promise<number | undefined> {
  const facts = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '')
  const [, position] = /^pos:\s*(\d+)$/m.exec(facts) ?? []
  return position === undefined ? undefined : Number(position)
}

async function readRest(mail: FileHandle, size: number): Promise<number> {
  const { bytesRead } = await mail.read({ buffer: Buffer.alloc(size), position: null })
  return bytesRead
}

async function lastLineOf(file: FileHandle): Promise<string> {
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(LAST_WORDS),
    position: Math.max(0, size - LAST_WORDS),
  })
  return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').at(-1) ?? ''
}

function outcomeOf({ code, how, hasRead, lastLine }: Ending): MailOutcome {
  const said = lastLine === '' ? '' : `: ${lastLine}`
  if (code === null) {
    // Ctrl-C kills what is not in a group of its own yet, and the limit what hangs. Whoever has read some of the mail may
    // have passed it on.
    const kind = hasRead === 'nothing' ? 'deferred' : 'uncertain'
    return { kind, reply: cleanReply(`the program ${how}${said}`) }
  }
  if (code !== 0) {
    return { kind: EXITS[code] ?? 'refused', reply: cleanReply(`the program ${how}${said}`) }
  }
  if (hasRead !== 'all') return { kind: 'uncertain', reply: 'the program ended before it had read the mail' }
  return { kind: 'sent', reply: 'the program has taken the mail' }
}
