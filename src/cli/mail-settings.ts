import { dirname, resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { invalid } from '../errors.ts'
import { listUnsubscribeFrom } from '../mail/list-unsubscribe.ts'
import { type Mailbox, mailboxFrom } from '../mail/mailbox.ts'
import { secretKey } from '../mail/secret-key.ts'
import type { LinkOptions, MailOptions, TransportOptions } from '../mail/settings.ts'
import { withName } from '../values/readers.ts'
import type { Context } from './context.ts'

/** The settings of mail as commander delivers them: what takes a parser of mail to read is still text. */
export interface MailCommandOptions
  extends Omit<MailOptions, 'from' | 'replyTo' | 'listUnsubscribe' | 'secretKeyFile'> {
  readonly secretKeyFile?: string
  readonly from?: string
  readonly replyTo?: string
  readonly listUnsubscribe?: string
}

/** How links are made, with the secret that signs them when they are signed. */
export interface LinkSource extends LinkOptions {
  readonly secret: string | undefined
}

/** Where a mail server is named, and from where paths in its URL start. */
export interface TransportSource extends TransportOptions {
  readonly directory: string
}

/** Everything about mail, completed; nothing of it depends on the database. */
export interface MailSource extends Omit<MailOptions, keyof TransportOptions>, LinkSource {
  readonly from: Mailbox
  readonly transport: TransportSource
}

/**
 * Returns what the options, the environment and the configuration file say about mail, in this order.
 * Throws a UserError (invalid) when there is no sender, or a secret is missing or would be seen by others.
 */
export async function mailSourceFrom(
  options: MailCommandOptions,
  settings: Settings,
  context: Context,
): Promise<MailSource> {
  const configured = settings.configured.mail ?? {}
  const { from: sender, replyTo, listUnsubscribe, templates } = options
  const from = sender === undefined ? configured.from : withName('--from', () => mailboxFrom(sender))
  if (!from)
    throw invalid(
      'nobody is named who sends the mails',
      "mail.from in the configuration file, or --from 'Example Forum <forum@example.org>'",
    )
  return {
    siteName: options.siteName ?? configured.siteName,
    rate: options.rate ?? configured.rate,
    concurrency: options.concurrency ?? configured.concurrency,
    againAfter: options.againAfter ?? configured.againAfter,
    maxReminders: options.maxReminders ?? configured.maxReminders,
    maxFailures: options.maxFailures ?? configured.maxFailures,
    from,
    replyTo: replyTo === undefined ? configured.replyTo : withName('--reply-to', () => mailboxFrom(replyTo)),
    listUnsubscribe:
      listUnsubscribe === undefined
        ? configured.listUnsubscribe
        : withName('--list-unsubscribe', () => listUnsubscribeFrom(listUnsubscribe)),
    templates: templates === undefined ? configured.templates : resolve(context.cwd, templates),
    ...(await linkSourceFrom(options, settings, context)),
    transport: transportFrom(options, settings, context),
  }
}

/** Returns what they say about links. Throws a UserError (invalid) when a secret is needed and there is none. */
export async function linkSourceFrom(
  options: Omit<LinkOptions, 'secretKeyFile'> & { readonly secretKeyFile?: string },
  { configured }: Settings,
  { cwd, env }: Context,
): Promise<LinkSource> {
  const source = { ...configured.mail, ...options }
  const given = options.secretKeyFile === undefined ? undefined : resolve(cwd, options.secretKeyFile)
  const { confirmation = 'hmac', link = 'confirm' } = source
  const isSigned = confirmation === 'hmac' && link === 'confirm'
  const fromEnvironment = env.USERMGMT_SECRET_KEY || undefined
  const file = given ?? (fromEnvironment === undefined ? configured.mail?.secretKeyFile : undefined)
  return {
    linkTemplate: source.linkTemplate,
    siteUrl: source.siteUrl,
    salt: source.salt,
    expires: source.expires,
    confirmation,
    link,
    secret: isSigned ? await secretKey(file, fromEnvironment) : undefined,
  }
}

function transportFrom(
  { smtpUrl, sendmail, outbox }: MailCommandOptions,
  { configured, file }: Settings,
  { cwd, env }: Context,
): TransportSource {
  if (smtpUrl !== undefined) {
    refuseVisiblePassword(smtpUrl)
    return { smtpUrl, directory: cwd }
  }
  if (outbox !== undefined) return { outbox: resolve(cwd, outbox), directory: cwd }
  if (sendmail !== undefined)
    return { sendmail: sendmail === true ? true : resolve(cwd, sendmail), directory: cwd }
  if (env.USERMGMT_SMTP_URL) return { smtpUrl: env.USERMGMT_SMTP_URL, directory: cwd }
  const { mail = {} } = configured
  return {
    smtpUrl: mail.smtpUrl,
    sendmail: mail.sendmail,
    outbox: mail.outbox,
    directory: file === undefined ? cwd : dirname(file),
  }
}

/** Everybody on the machine can list the arguments of its processes. */
function refuseVisiblePassword(url: string): void {
  if (!URL.canParse(url) || new URL(url).password === '') return
  throw invalid(
    '--smtp-url: a password on the command line can be seen by everybody on this machine',
    'USERMGMT_SMTP_PASSWORD, or the whole URL in USERMGMT_SMTP_URL',
  )
}
