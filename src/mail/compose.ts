import type { Instant } from '../django/datetime.ts'
import type { Link } from './link.ts'
import { type Message, messageTo, type Sender } from './message.ts'
import type { Recipient } from './recipients.ts'
import type { Rendered, RenderReminder } from './reminder-templates.ts'
import type { SiteFacts } from './site-facts.ts'

/** What all mails of a run have in common. */
export interface Composer {
  readonly render: RenderReminder
  readonly sender: Sender
  readonly facts: SiteFacts
  /** False: the links lead to the login page. */
  readonly linkConfirms: boolean
}

/** What is the recipient's own. */
export interface Reminder {
  readonly recipient: Recipient
  readonly link: Link
  readonly deletionDate: Instant | null
}

/** Returns the reminder as it is read. Throws a UserError when a template cannot be filled in. */
export function renderReminder(
  { render, facts, linkConfirms }: Composer,
  { recipient, link, deletionDate }: Reminder,
): Rendered {
  return render({
    user: recipient.user,
    address: recipient.address,
    link: link.url,
    link_confirms: linkConfirms,
    link_expires: link.expires,
    deletion_date: deletionDate,
    site_name: facts.name,
    site_url: facts.url.href,
  })
}

/** Returns the mail. Throws what `renderReminder` throws. */
export function composeReminder(composer: Composer, reminder: Reminder, date: Date): Message {
  return messageTo(reminder.recipient.address, renderReminder(composer, reminder), composer.sender, date)
}
