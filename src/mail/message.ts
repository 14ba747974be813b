import { randomUUID } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import { type Mailbox, wireDomain } from './mailbox.ts'
import type { Rendered } from './reminder-templates.ts'

/** Who sends the mails of a run. */
export interface Sender {
  readonly from: Mailbox
  readonly replyTo?: Mailbox | undefined
  /** A page (https:) or an address (mailto:) for whoever wants no more. */
  readonly listUnsubscribe?: string | undefined
}

/** A mail to one address, as nodemailer takes it. */
export type Message = ReturnType<typeof messageTo>

/**
 * Returns the mail. Nothing that users chose is in a header but the address itself, which is a mailbox of its own and
 * never parsed: names cannot inject anything.
 */
export function messageTo(address: string, { subject, text, html }: Rendered, sender: Sender, date: Date) {
  const { from, replyTo, listUnsubscribe } = sender
  return {
    envelope: { from: from.address, to: [address] },
    from: { ...from },
    ...(replyTo === undefined ? {} : { replyTo: { ...replyTo } }),
    to: { name: '', address },
    subject,
    date,
    messageId: `<${randomUUID()}@${wireDomain(from)}>`,
    headers: {
      // RFC 3834: no out-of-office notice answers it.
      'Auto-Submitted': 'auto-generated',
      ...(listUnsubscribe === undefined ? {} : { 'List-Unsubscribe': `<${listUnsubscribe}>` }),
    },
    text,
    html,
    // Lines of any length and letters of any script, whatever stands between here and there.
    encoding: 'quoted-printable',
    xMailer: false as const,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** Returns the mail as it goes over the wire, or as the programs of this machine read it. */
export async function sourceOf(message: Message, newline: 'win' | 'unix' = 'win'): Promise<Buffer> {
  return new MailComposer({ ...message, newline }).compile().build()
}
