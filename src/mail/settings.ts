import type { Limit } from '../values/limit.ts'
import type { LinkTemplate } from './link-template.ts'
import type { Mailbox } from './mailbox.ts'

export const CONFIRMATIONS = ['hmac', 'database'] as const
export const LINKS = ['confirm', 'login'] as const

/** How links are made. All optional: options and the configuration file have the same settings. Paths are absolute. */
export interface LinkOptions {
  readonly linkTemplate?: LinkTemplate | undefined
  readonly siteUrl?: URL | undefined
  readonly secretKeyFile?: string | undefined
  readonly salt?: string | undefined
  readonly confirmation?: (typeof CONFIRMATIONS)[number] | undefined
  readonly link?: (typeof LINKS)[number] | undefined
  /** Days. */
  readonly expires?: number | undefined
}

/** What hands the mails on: one of these. */
export interface TransportOptions {
  /** May hold a password: never print it. */
  readonly smtpUrl?: string | undefined
  /** The path of the program; true for the usual one. */
  readonly sendmail?: string | true | undefined
  readonly outbox?: string | undefined
}

/** Everything about mail that can be set. */
export interface MailOptions extends LinkOptions, TransportOptions {
  readonly siteName?: string | undefined
  readonly templates?: string | undefined
  readonly from?: Mailbox | undefined
  readonly replyTo?: Mailbox | undefined
  readonly listUnsubscribe?: string | undefined
  /** Mails in a second; 0 for as many as go. */
  readonly rate?: number | undefined
  readonly concurrency?: number | undefined
  /** An age, or `0`. */
  readonly againAfter?: string | undefined
  readonly maxReminders?: number | undefined
  readonly maxFailures?: Limit | undefined
}
