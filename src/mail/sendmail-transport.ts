import { existsSync } from 'node:fs'
import nodemailer from 'nodemailer'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { cleanReply, type MailOutcome, type Transport } from './transport.ts'

const USUAL_PATH = '/usr/sbin/sendmail'

/** sysexits.h */
const EXITS: Record<number, MailOutcome['kind']> = { 67: 'bounced', 68: 'bounced', 75: 'deferred' }

/** Returns a transport that hands mails to the program of this machine. Throws a UserError when it is not there. */
export function sendmailTransport(path = USUAL_PATH): Transport {
  if (!existsSync(path)) {
    throw new UserError(`there is no program ${path}`, {
      hint: 'name it: --sendmail PATH, or send with --smtp-url',
    })
  }
  const mailer = nodemailer.createTransport({ sendmail: true as const, path, newline: 'unix' })
  return {
    async send(message) {
      try {
        const { response } = await mailer.sendMail(message)
        return { kind: 'sent', reply: cleanReply(response) }
      } catch (error) {
        return outcomeOf(error as NodeJS.ErrnoException, path)
      }
    },
    close: async () => mailer.close(),
  }
}

function outcomeOf({ code, message }: NodeJS.ErrnoException, path: string): MailOutcome {
  if (code === 'EACCES' || code === 'ENOENT' || code === 'ENOEXEC') {
    throw new UserError(`the program ${path} cannot be started: ${fileReason({ code })}`)
  }
  const exit = /exited with code (\d+)/.exec(message)?.[1]
  const kind = exit === undefined ? withoutExit(message) : (EXITS[Number(exit)] ?? 'refused')
  return { kind, reply: cleanReply(message) }
}

/** A program that was killed, or did not read to the end, may have passed the mail on. */
function withoutExit(message: string): MailOutcome['kind'] {
  return /Invalid envelope/.test(message) ? 'refused' : 'uncertain'
}
