import { UserError } from '../../errors.ts'
import { type Link, type LinkSettings, makeLink } from '../../mail/link.ts'
import { isMailable } from '../../mail/mailbox.ts'
import { findRecipient, type Recipient } from '../../mail/recipients.ts'
import { inTransaction, type Site } from '../../site/site.ts'
import { shownInstant } from '../../values/dates.ts'
import type { CommandContext } from '../command-context.ts'
import type { LinkCommandOptions } from '../commands/link.ts'
import { clockOf } from '../criteria.ts'
import { linkSourceFrom } from '../mail-settings.ts'
import { linksFor } from '../mail-writing.ts'
import { withRun } from '../with-run.ts'
import { settingsOf, withSite } from '../with-site.ts'

/** Prints a link that verifies the primary address of the user. */
export async function printLink(
  context: CommandContext,
  user: string,
  options: LinkCommandOptions,
): Promise<void> {
  const settings = await settingsOf(context)
  const { zone } = clockOf({}, settings.configured, context)
  const source = await linkSourceFrom({ ...options, link: 'confirm' }, settings, context)
  await withSite(
    context,
    async (site) => {
      const { links } = await linksFor(site, source)
      const recipient = await findRecipient(site, user)
      refuseUnmailable(recipient)
      const link = await recordedLink(site, links, recipient, context)
      // Never later than it is.
      const minute = link.expires?.replace(/:\d\d(\.\d+)?Z$/, ':00Z')
      const until = minute === undefined ? '' : `, until ${shownInstant(minute, zone)}`
      await context.talk.say(`verifies ${recipient.address}${until}`)
      await context.stdout.write(`${link.url}\n`)
    },
    { settings },
  )
}

/** Such an address belongs to nobody who could have asked for the link. */
function refuseUnmailable({ address }: Recipient): void {
  if (isMailable(address)) return
  throw new UserError('the primary address of the user is none that a mail can go to', {
    hint: 'set it right in the admin of the site',
  })
}

/** A signed link changes nothing; one with a row of its own is a run. */
async function recordedLink(
  site: Site,
  links: LinkSettings,
  { addressKey }: Recipient,
  context: CommandContext,
): Promise<Link> {
  const at = context.now()
  if (links.kind !== 'database') return makeLink(site, links, addressKey, at)
  return withRun(
    context,
    site,
    { command: 'link', options: { confirmation: links.kind } },
    () => inTransaction(site, 'write', (here) => makeLink(here, links, addressKey, at)),
    () => ({ outcome: 'done', counts: { linked: 1 } }),
  )
}
