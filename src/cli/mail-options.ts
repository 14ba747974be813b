import { type Command, Option } from 'commander'
import { FAILED_FLOOR, FAILED_PERCENT } from '../mail/failure-limit.ts'
import { linkTemplateFrom, siteUrlFrom } from '../mail/link-template.ts'
import { CONFIRMATIONS, LINKS } from '../mail/settings.ts'
import { limitFrom } from '../values/limit.ts'
import { countFrom, daysFrom, rateFrom, textFrom } from '../values/readers.ts'
import { AGAIN_AFTER, CONCURRENCY, EXPIRE_DAYS, MAX_REMINDERS, RATE } from './defaults.ts'
import { valueOption } from './value-option.ts'

/** Adds how links are made: for whatever sends or prints them. The values are those of `LinkOptions`. */
export function addLinkOptions(command: Command): Command {
  return command
    .optionsGroup('The link (mail.* in the configuration file):')
    .addOption(
      valueOption(
        '--link-template <url>',
        'https://site.example/accounts/confirm-email/{key}/ (default: that, on the site)',
        linkTemplateFrom,
      ),
    )
    .addOption(
      valueOption(
        '--site-url <url>',
        'where the site is (default: the database says it, in django_site)',
        siteUrlFrom,
      ),
    )
    .addOption(
      valueOption(
        '--secret-key-file <file>',
        "the site's SECRET_KEY, which signs the link (USERMGMT_SECRET_KEY)",
        textFrom,
      ),
    )
    .addOption(valueOption('--salt <text>', "the site's ACCOUNT_SALT (default: account)", textFrom))
    .addOption(
      new Option(
        '--confirmation <kind>',
        'hmac: a signed link; database: one with a row in account_emailconfirmation (default: hmac)',
      ).choices([...CONFIRMATIONS]),
    )
    .addOption(
      valueOption(
        '--expires <days>',
        `how long the site takes it: its ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS (default: ${EXPIRE_DAYS})`,
        daysFrom,
      ),
    )
}

/** Adds who writes what, and how it is sent. Senders stay text: to read them takes a library. */
export function addMailOptions(command: Command): Command {
  return addLinkOptions(command)
    .addOption(
      new Option('--link <where>', 'confirm, or login where no link can confirm (default: confirm)').choices([
        ...LINKS,
      ]),
    )
    .optionsGroup('The mail (mail.* in the configuration file):')
    .addOption(valueOption('--from <sender>', "'Example Forum <forum@example.org>' (required)", textFrom))
    .addOption(valueOption('--reply-to <address>', 'where answers go', textFrom))
    .addOption(valueOption('--list-unsubscribe <url>', 'https: or mailto:, for that header', textFrom))
    .addOption(valueOption('--site-name <name>', 'what the site is called (default: as above)', textFrom))
    .addOption(
      valueOption(
        '--templates <directory>',
        'reminder.subject.liquid, .txt.liquid, .html.liquid of your own',
        textFrom,
      ),
    )
    .optionsGroup('How it is sent (mail.* in the configuration file):')
    .addOption(
      valueOption('--smtp-url <url>', 'smtp://mail.example or smtps://… (USERMGMT_SMTP_URL)', textFrom),
    )
    .addOption(
      new Option('--sendmail [path]', 'by this program (default: /usr/sbin/sendmail)').conflicts('smtpUrl'),
    )
    .addOption(
      valueOption(
        '--outbox <directory>',
        'write .eml files into this directory instead of sending; they count as sent',
        textFrom,
      ).conflicts(['smtpUrl', 'sendmail']),
    )
    .addOption(
      valueOption('--rate <number>', `mails in a second, 0 for no limit (default: ${RATE})`, rateFrom),
    )
    .addOption(valueOption('--concurrency <number>', `mails at once (default: ${CONCURRENCY})`, countFrom))
    .addOption(
      valueOption(
        '--max-failures <limit>',
        `stop after more than N, or N% of all (default: ${FAILED_PERCENT}% of those tried or ${FAILED_FLOOR}, whichever is more)`,
        limitFrom,
      ),
    )
    .optionsGroup('Who has been mailed before:')
    .addOption(
      valueOption(
        '--again-after <age>',
        `skip whoever was mailed within this age (default: ${AGAIN_AFTER})`,
        textFrom,
      ),
    )
    .addOption(
      valueOption(
        '--max-reminders <number>',
        `skip whoever was mailed this often (default: ${MAX_REMINDERS})`,
        countFrom,
      ),
    )
    .option('--retry-uncertain', 'also mail those whose last mail was cut off, and may have arrived')
}
