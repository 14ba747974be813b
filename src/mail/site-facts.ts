import { domainToUnicode } from 'node:url'
import { sql } from 'drizzle-orm'
import { tableName } from '../db/identifiers.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import { siteUrlFrom } from './link-template.ts'

/** What the site is called, and where it is. */
export interface SiteFacts {
  readonly url: URL
  readonly name: string
}

/**
 * Returns where the site is, as given, else from its one row in `django_site`, and its name: given, else from that row,
 * else the host. Throws a UserError when there is no such row, or it is the one that Django makes: example.com.
 */
export async function siteFacts(
  site: Site,
  given: { url?: URL | undefined; name?: string | undefined },
): Promise<SiteFacts> {
  const row = await djangoSite(site)
  const url = given.url ?? urlOf(row)
  const inDatabase = row && !isExample(row.domain) ? row.name.trim() : ''
  return { url, name: given.name ?? (inDatabase || readableHost(url)) }
}

/** `bücher.example`, not `xn--bcher-kva.example`. */
function readableHost({ hostname, port }: URL): string {
  return `${domainToUnicode(hostname) || hostname}${port && `:${port}`}`
}

interface DjangoSite {
  readonly domain: string
  readonly name: string
}

/** Undefined when there are several: which one is SITE_ID, only the settings of the site tell. */
async function djangoSite({ db, shape }: Site): Promise<DjangoSite | undefined> {
  if (!shape.djangoSites) return undefined
  const rows = await db.rows<DjangoSite>(
    sql`select domain, name from ${tableName(shape.djangoSites)} limit 2`,
  )
  return rows.length === 1 ? rows[0] : undefined
}

function urlOf(row: DjangoSite | undefined): URL {
  if (!row) throw unknown('the database does not say where the site is')
  if (isExample(row.domain))
    throw unknown('the database says that the site is example.com, as every new one does')
  const domain = row.domain.trim().replace(/\/+$/, '')
  try {
    return siteUrlFrom(/^https?:\/\//i.test(domain) ? domain : `${protocolOf(domain)}//${domain}`)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw unknown(`the database says that the site is "${domain}", which is no domain`)
  }
}

/** The database does not know. Only on one's own machine is a site today without TLS. */
function protocolOf(domain: string): string {
  return /^(localhost|127\.|\[::1\])/i.test(domain) ? 'http:' : 'https:'
}

function isExample(domain: string): boolean {
  return /^(www\.)?example\.(com|org|net)$/i.test(domain.trim())
}

function unknown(message: string): UserError {
  return new UserError(message, {
    hint: 'give it: mail.site_url in the configuration file, or --site-url https://…',
  })
}
