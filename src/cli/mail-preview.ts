import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { beginsWith } from '../file-beginning.ts'
import { fileReason } from '../file-error.ts'
import { type Judged, judgeUser } from '../mail/campaign-plan.ts'
import { renderReminder } from '../mail/compose.ts'
import { earlierReminders } from '../mail/earlier-reminders.ts'
import { sampleLink } from '../mail/link.ts'
import { findRecipient, type Recipient } from '../mail/recipients.ts'
import type { Site } from '../site/site.ts'
import { GUARD_EXPLANATIONS } from '../users/guards.ts'
import { type MailRequest, planOptions } from './mail-request.ts'
import type { Writing } from './mail-writing.ts'
import { styleFor } from './paint.ts'
import { mailText, OPTION_NAMES, SKIP_EXPLANATIONS } from './render/mail.ts'

const HTML = /^\s*</

/** Shows the mail to one user, and says why it would not be sent, if so. */
export async function showPreview(
  site: Site,
  user: string,
  request: MailRequest,
  writing: Writing,
): Promise<void> {
  const { context, options, criteria, rules } = request
  const { stdout, cwd } = context
  const recipient = await findRecipient(site, user)
  const judged = await judgeUser(site, criteria, rules, planOptions(request), recipient.key)
  const mail = await shownMail(site, request, writing, { recipient, hasContent: judged?.hasContent ?? false })
  if (options.html !== undefined) await writeHtml(resolve(cwd, options.html), mail.html)
  await stdout.write(mailText(mail, await styleFor(stdout, context)))
  const reason = whyNot(judged)
  if (reason) await context.talk.say(`would not be sent: ${reason}`)
}

function whyNot(judged: Judged | undefined): string | undefined {
  if (!judged) return 'the user is not selected'
  const { guards, skipped } = judged
  if (guards.length > 0) return `the user ${guards.map((guard) => GUARD_EXPLANATIONS[guard]).join(', and ')}`
  return skipped && SKIP_EXPLANATIONS[skipped](OPTION_NAMES)
}

/** Throws a UserError: `refused` when something is there that is no HTML, `failed` when nothing can be written there. */
async function writeHtml(path: string, html: string): Promise<void> {
  try {
    const found = await stat(path).catch(() => undefined)
    const isReplaceable = !found?.isFile() || found.size === 0 || (await beginsWith(path, HTML))
    if (isReplaceable) return await writeSecretly(path, html)
  } catch (cause) {
    throw new UserError(`--html: ${path} cannot be written: ${fileReason(cause)}`, { cause })
  }
  throw new UserError(`--html: ${path} is there already, and is no HTML`, {
    kind: 'refused',
    hint: 'name another file; only an older mail is replaced',
  })
}

/** The link in it works: it is for nobody but its owner to read, also when the file was there before. */
async function writeSecretly(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    if ((await file.stat()).isFile()) await file.chmod(0o600)
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/** Returns a mail as it would be sent, with a link to look at. */
export async function shownMail(
  site: Site,
  { context, source, deletionDate }: MailRequest,
  writing: Writing,
  { recipient, hasContent }: { readonly recipient: Recipient; readonly hasContent: boolean },
) {
  const { links, composer } = writing
  const link = sampleLink(site, links, recipient.addressKey, context.now())
  const earlierOf = await earlierReminders(site, [recipient])
  const date = hasContent ? null : deletionDate?.(recipient, earlierOf(recipient), context.now())
  const rendered = renderReminder(composer, { recipient, link, deletionDate: date ?? null })
  return { from: source.from, to: recipient.address, ...rendered }
}
