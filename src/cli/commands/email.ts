import { type Command, Option } from 'commander'
import { textFrom } from '../../values/readers.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { addMailOptions } from '../mail-options.ts'
import type { MailCommandOptions } from '../mail-settings.ts'
import { addMailCriteriaOptions, type CriteriaOptions, formatOption } from '../options.ts'
import { valueOption } from '../value-option.ts'

const EMAIL_FORMATS = ['text', 'json'] as const

export interface EmailOptions extends CriteriaOptions, MailCommandOptions {
  readonly format: (typeof EMAIL_FORMATS)[number]
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly preview?: string
  readonly html?: string
  readonly retryUncertain?: boolean
}

const SENDING = '--from forum@site.example --site-url https://site.example --secret-key-file secret-key.txt'

export const EMAIL_EXAMPLES: readonly Example[] = [
  {
    command: `usermgmt email --since 2020-01-01 ${SENDING} --dry-run`,
    output: `3 users to mail, of 4 candidates
primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)

Kept
  1  staff  is staff or superuser

From: forum@site.example
To: anna@example.com
Subject: Please confirm your email address for site.example

Hello anna,

someone signed up for site.example on 1 May 2019 with your email address,
anna@example.com. If that was you, there is one step left: the address has
never been confirmed.

To confirm it, open this page and press the button there:

https://site.example/accounts/confirm-email/Mg%3A1uQm1o%3ALUJH8XmJfos1xGVZUHRC6ySS4jkNcTgm-EkMRVbb7to/

The link works until 18 June 2025, 12:00 UTC.

If you do not confirm it, the account stays unconfirmed, and may be deleted.

You did not sign up? Then someone has mistyped their address, or used yours.
You can ignore this mail: without you the address cannot be confirmed.

site.example
https://site.example/`,
  },
  {
    command: `usermgmt email --since 2020-01-01 ${SENDING} --outbox outbox --yes --quiet`,
    output: `3 users mailed, of 4 candidates

Kept
  1  staff  is staff or superuser`,
  },
]

/** Adds `email` to the program. */
export function registerEmail(program: Command, context: Context): void {
  const command = program
    .command('email')
    .alias('remind')
    .summary('mail those users a link that verifies their address')
    .description(
      'Mails the users that list-unverified lists and no guard keeps a link that verifies their address: nobody again within --again-after, nor more often than --max-reminders. Shows the plan and asks first.',
    )
    .optionsGroup('How it runs:')
    .addOption(new Option('--dry-run', 'show the plan and a mail, and send none').conflicts('yes'))
    .option('--yes', 'mail without asking')
    .addOption(
      valueOption(
        '--preview <user>',
        'show the mail of this id, username or address, and send none',
        textFrom,
      ).conflicts(['yes', 'dryRun']),
    )
    .addOption(valueOption('--html <file>', 'with --preview: write its HTML into a file', textFrom))
    .addOption(formatOption(EMAIL_FORMATS))
  addMailCriteriaOptions(addMailOptions(command))
    .addHelpText('after', exampleText(EMAIL_EXAMPLES))
    .action(async (options: EmailOptions) => {
      const { emailUnverified } = await import('../actions/email.ts')
      await emailUnverified(commandContext(context, program.opts()), options)
    })
}
