import { resolve } from 'node:path'
import * as z from 'zod'
import { linkTemplateFrom, siteUrlFrom } from '../mail/link-template.ts'
import { listUnsubscribeFrom } from '../mail/list-unsubscribe.ts'
import { mailboxFrom } from '../mail/mailbox.ts'
import { CONFIRMATIONS, LINKS, type MailOptions } from '../mail/settings.ts'
import { smtpServerFrom } from '../mail/smtp-url.ts'
import { ageFrom } from '../values/dates.ts'
import { limitFrom } from '../values/limit.ts'
import { countFrom, daysFrom, rateFrom } from '../values/readers.ts'
import { readBy } from './read-by.ts'
import { age, limit, number, text } from './values.ts'

/** The settings of mail, named as the options are. */
export const MAIL_SCHEMA = z.strictObject({
  link_template: text.transform(readBy(linkTemplateFrom)).optional(),
  site_url: text.transform(readBy(siteUrlFrom)).optional(),
  site_name: text.optional(),
  secret_key_file: text.optional(),
  salt: text.optional(),
  confirmation: z.enum(CONFIRMATIONS).optional(),
  link: z.enum(LINKS).optional(),
  expires: number.transform(readBy(daysFrom)).optional(),
  templates: text.optional(),
  from: text.transform(readBy(mailboxFrom)).optional(),
  reply_to: text.transform(readBy(mailboxFrom)).optional(),
  list_unsubscribe: text.transform(readBy(listUnsubscribeFrom)).optional(),
  smtp_url: text.transform(readBy(smtpUrlFrom)).optional(),
  sendmail: z.union([text, z.literal(true)], 'expected a path, or true').optional(),
  outbox: text.optional(),
  rate: number.transform(readBy(rateFrom)).optional(),
  concurrency: number.transform(readBy(countFrom)).optional(),
  again_after: age.transform(readBy(ageFrom)).optional(),
  max_reminders: number.transform(readBy(countFrom)).optional(),
  max_failures: limit.transform(readBy(limitFrom)).optional(),
})

/** The password may come from the environment. */
function smtpUrlFrom(url: string): string {
  const hasUser = URL.canParse(url) && new URL(url).username !== ''
  smtpServerFrom(url, hasUser ? { password: 'from elsewhere' } : {}, '/')
  return url
}

/** Returns the settings of mail; a relative path in them starts at the directory. */
export function mailOptionsFrom(mail: z.output<typeof MAIL_SCHEMA>, directory: string): MailOptions {
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(directory, name))
  return {
    linkTemplate: mail.link_template,
    siteUrl: mail.site_url,
    siteName: mail.site_name,
    secretKeyFile: path(mail.secret_key_file),
    salt: mail.salt,
    confirmation: mail.confirmation,
    link: mail.link,
    expires: mail.expires,
    templates: path(mail.templates),
    from: mail.from,
    replyTo: mail.reply_to,
    listUnsubscribe: mail.list_unsubscribe,
    smtpUrl: mail.smtp_url,
    sendmail: mail.sendmail === true ? true : path(mail.sendmail),
    outbox: path(mail.outbox),
    rate: mail.rate,
    concurrency: mail.concurrency,
    againAfter: mail.again_after,
    maxReminders: mail.max_reminders,
    maxFailures: mail.max_failures,
  }
}
