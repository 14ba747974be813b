import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { pause } from '../pause.ts'
import { type Message, sourceOf } from './message.ts'
import { cleanReply, type MailOutcome, type Transport } from './transport.ts'

const USUAL_PATH = '/usr/sbin/sendmail'

/** sysexits.h */
const EXITS: Record<number, MailOutcome['kind']> = { 67: 'bounced', 68: 'bounced', 75: 'deferred' }

/** Enough for the last line of what a program has to say. */
const LAST_WORDS = 2_000
const WORDS_MILLISECONDS = 1_000

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
  // In a group of its own: Ctrl-C at the terminal is for usermgmt, which waits for the mails at hand.
  const program = spawn(path, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true })
  let words = ''
  // Read in any case: a program that nobody listens to waits for ever.
  program.stderr.setEncoding('utf8').on('data', (piece: string) => {
    words = (words + piece).slice(-LAST_WORDS)
  })
  const ended = once(program, 'exit')
  // It does not want all of the mail; how it ends says more.
  program.stdin.on('error', () => {}).end(source)
  const [code, signal] = await ended.catch((error) => {
    throw new UserError(`the program ${path} cannot be started: ${fileReason(error)}`)
  })
  const { stderr, stdin } = program
  if (code !== 0 && !stderr.readableEnded)
    await Promise.race([once(stderr, 'end'), pause(WORDS_MILLISECONDS)])
  // Whatever the program has left running may keep the stream open for ever.
  stderr.destroy()
  return { code, signal, hasAll: stdin.writableFinished, lastLine: words.trimEnd().split('\n').at(-1) ?? '' }
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
