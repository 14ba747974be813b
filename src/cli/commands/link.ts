import type { Command } from 'commander'
import type { LinkOptions } from '../../mail/settings.ts'
import { commandContext } from '../command-context.ts'
import type { Context } from '../context.ts'
import { type Example, exampleText } from '../examples.ts'
import { addLinkOptions } from '../mail-options.ts'

export interface LinkCommandOptions extends Omit<LinkOptions, 'secretKeyFile' | 'link'> {
  readonly secretKeyFile?: string
}

export const LINK_EXAMPLES: readonly Example[] = [
  {
    command: 'usermgmt link anna --site-url https://site.example --secret-key-file secret-key.txt',
    output: `verifies anna@example.com, until 2025-06-18 12:00 UTC
https://site.example/accounts/confirm-email/Mg%3A1uQm1o%3ALUJH8XmJfos1xGVZUHRC6ySS4jkNcTgm-EkMRVbb7to/`,
  },
]

/** Adds `link` to the program. */
export function registerLink(program: Command, context: Context): void {
  const command = program
    .command('link')
    .argument('<user>', 'an id, username or address')
    .summary('print a link that verifies the address of one user')
    .description(
      "Prints a link that verifies the primary address of a user, to be sent by hand: whoever opens it is taken for the address's owner.",
    )
  addLinkOptions(command)
    .addHelpText('after', exampleText(LINK_EXAMPLES))
    .action(async (user: string, options: LinkCommandOptions) => {
      const { printLink } = await import('../actions/link.ts')
      await printLink(commandContext(context, program.opts()), user, options)
    })
}
