import { invalid } from '../errors.ts'

/** A URL with a place for the key of a confirmation; without one for a page that needs none. */
export interface LinkTemplate {
  readonly hasKey: boolean
  /** Returns the URL with the key in its place. */
  fill(key: string): string
}

const PLACE = '{key}'
/** Of letters only, so that no part of a URL changes it. */
const MARK = 'usermgmtkeyplace'

/** Returns the template of a URL such as `https://site.example/accounts/confirm-email/{key}/`. Throws a UserError (invalid). */
export function linkTemplateFrom(text: string): LinkTemplate {
  const places = text.split(PLACE).length - 1
  if (places > 1) throw invalid(`the link ${text} has more than one ${PLACE}`)
  const url = webUrl(text.replace(PLACE, MARK), text)
  if (url.host.includes(MARK)) throw invalid(`the link ${text} has its ${PLACE} in the name of the host`)
  const { href } = url
  // As allauth's render_url() does: a key holds colons, and some mail programs end a link there.
  return { hasKey: places === 1, fill: (key) => href.replace(MARK, encodeURIComponent(key)) }
}

/** Returns the URL of a site, its path ending in a slash. Throws a UserError (invalid). */
export function siteUrlFrom(text: string): URL {
  const url = webUrl(text, text)
  if (url.search !== '' || url.hash !== '') throw invalid(`the URL of a site has no query: ${text}`)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function webUrl(text: string, shown: string): URL {
  const url =
    /^https?:\/\//i.test(text) && !/[\s<>"]/.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw invalid(`"${shown}" is not a URL of a page`, 'it begins with https:// (or http://)')
  if (url.username !== '' || url.password !== '')
    throw invalid('a link that goes to people must not hold a password')
  return url
}
