import type { Message } from './message.ts'

/**
 * What became of one attempt. `bounced`: the address does not take mail, and never will. `refused`: this mail was, for
 * good. `deferred`: not now. `uncertain`: the connection was lost when the whole mail had been handed over, and nobody
 * knows whether the server took it.
 */
export interface MailOutcome {
  readonly kind: 'sent' | 'bounced' | 'refused' | 'deferred' | 'uncertain'
  /** The server's words, in one line and without anybody's address. */
  readonly reply: string
}

export interface Transport {
  /** Throws a UserError when no mail at all can be sent: no connection, no login, no trust. Then this one was not. */
  send(message: Message): Promise<MailOutcome>
  close(): Promise<void>
}

const LONGEST_REPLY = 300

/** Returns what a server or program has said, fit to be kept and shown: addresses are personal data. */
export function cleanReply(reply: string): string {
  const line = reply.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.replace(/[^\s<>"'(:,;]+(@|%40)[^\s<>"'):,;]+/giu, '(address)').slice(0, LONGEST_REPLY)
}
