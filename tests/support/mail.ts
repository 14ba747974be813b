import { mailboxFrom } from '../../src/mail/mailbox.ts'
import { type Message, messageTo } from '../../src/mail/message.ts'

const SENDER = { from: mailboxFrom('The Site <mail@site.example>') }

/** Returns a small mail to the address. */
export function mailTo(address: string, text = `For ${address}.`): Message {
  const rendered = { subject: 'Please confirm', text, html: `<p>${text}</p>` }
  return messageTo(address, rendered, SENDER, new Date('2025-06-15T12:00:00Z'))
}
