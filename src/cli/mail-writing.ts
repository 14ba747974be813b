import type { Composer } from '../mail/compose.ts'
import { checkedLinks, type LinkSettings } from '../mail/link.ts'
import { type LinkTemplate, linkTemplateFrom } from '../mail/link-template.ts'
import { reminderRenderer } from '../mail/reminder-templates.ts'
import { type SiteFacts, siteFacts } from '../mail/site-facts.ts'
import type { Site } from '../site/site.ts'
import type { WallClock } from '../values/dates.ts'
import { EXPIRE_DAYS } from './defaults.ts'
import type { LinkSource, MailSource } from './mail-settings.ts'

/** How the mails of one site are written. */
export interface Writing {
  readonly links: LinkSettings
  readonly composer: Composer
}

/** Returns how mails to users of the site are written. Throws a UserError when a template or the site's place is wrong. */
export async function writingFor(site: Site, source: MailSource, { zone }: WallClock): Promise<Writing> {
  const { links, facts } = await linksFor(site, source)
  const render = await reminderRenderer(source.templates, zone)
  return { links, composer: { render, sender: source, facts, linkConfirms: links.kind !== 'login' } }
}

/** Returns how links for users of the site are made. Throws a UserError when nobody says where the site is. */
export async function linksFor(
  site: Site,
  source: LinkSource & { readonly siteName?: string | undefined },
): Promise<{ links: LinkSettings; facts: SiteFacts }> {
  const { linkTemplate, siteUrl, siteName } = source
  // Whoever gives the link need not give the site as well.
  const url = siteUrl ?? (linkTemplate && new URL('/', linkTemplate.fill('key')))
  const facts = await siteFacts(site, { url, name: siteName })
  const template = linkTemplate ?? usualTemplate(facts.url, source)
  return { links: checkedLinks(linkSettings(template, source), site), facts }
}

function usualTemplate({ href }: URL, { link }: LinkSource): LinkTemplate {
  return linkTemplateFrom(`${href}accounts/${link === 'login' ? 'login/' : 'confirm-email/{key}/'}`)
}

function linkSettings(template: LinkTemplate, source: LinkSource): LinkSettings {
  const { link, confirmation, secret, salt, expires: days = EXPIRE_DAYS } = source
  if (link === 'login') return { kind: 'login', template }
  if (confirmation === 'database') return { kind: 'database', template, days }
  if (!secret) throw new Error('links are to be signed, and there is no secret')
  return { kind: 'hmac', template, days, secret, salt }
}
