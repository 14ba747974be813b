import { sql } from 'drizzle-orm'
import { type Instant, instantOf } from '../django/datetime.ts'
import { randomAlphanumerics } from '../django/password.ts'
import { type AddressId, confirmationKey } from '../django/signing.ts'
import { invalid, UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import { insertRow } from '../users/insert-row.ts'
import type { LinkTemplate } from './link-template.ts'

/**
 * Where a mail's link leads, and how the site knows it: `hmac` a page that confirms, with a signed key (the default of
 * allauth); `database` the same with a row in account_emailconfirmation (ACCOUNT_EMAIL_CONFIRMATION_HMAC = False);
 * `login` the login page, where no link can confirm (ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED).
 */
export type LinkSettings =
  | {
      readonly kind: 'hmac'
      readonly template: LinkTemplate
      readonly days: number
      readonly secret: string
      readonly salt?: string | undefined
    }
  | { readonly kind: 'database'; readonly template: LinkTemplate; readonly days: number }
  | { readonly kind: 'login'; readonly template: LinkTemplate }

export interface Link {
  readonly url: string
  /** When the site stops taking it; null for a page that is always there. */
  readonly expires: Instant | null
}

const DAY_MILLISECONDS = 86_400_000

/**
 * Returns the settings after a check that the link and its kind go together, and that the site has the table.
 * Throws a UserError (invalid).
 */
export function checkedLinks<T extends LinkSettings>(settings: T, { shape }: Pick<Site, 'shape'>): T {
  if (settings.kind !== 'login' && !settings.template.hasKey) {
    throw invalid(
      'the link that confirms has no place for its key',
      'write {key} where it goes: https://site.example/accounts/confirm-email/{key}/',
    )
  }
  if (settings.kind === 'login' && settings.template.hasKey) {
    throw invalid('a link to the login page has no key', 'leave {key} out')
  }
  if (settings.kind === 'database' && !shape.confirmations) {
    throw new UserError('there is no table account_emailconfirmation: the site keeps no confirmations', {
      hint: 'sign the links instead: --confirmation hmac',
    })
  }
  return settings
}

/** Returns the link for the address; writes the row that it needs, and throws the database's error when it refuses that. */
export async function makeLink(
  site: Site,
  settings: LinkSettings,
  addressId: string,
  at: Date,
): Promise<Link> {
  const rowKey = confirmationRowKey()
  if (settings.kind === 'database') await insertConfirmation(site, addressId, rowKey, instantOf(at))
  return linkWith(site, settings, addressId, at, rowKey)
}

/** Returns a link to look at: as `makeLink`, but writes nothing, so that one with a row does not work. */
export function sampleLink(site: Site, settings: LinkSettings, addressId: string, at: Date): Link {
  return linkWith(site, settings, addressId, at, 'x'.repeat(KEY_LENGTH))
}

/** `rowKey`: that of a row, for links that need one. */
function linkWith(site: Site, settings: LinkSettings, addressId: string, at: Date, rowKey: string): Link {
  if (settings.kind === 'login') return { url: settings.template.fill(''), expires: null }
  const key = settings.kind === 'hmac' ? signedKey(site, settings, addressId, at) : rowKey
  return { url: settings.template.fill(key), expires: expiry(settings.days, at) }
}

function signedKey(
  site: Site,
  { secret, salt }: LinkSettings & { kind: 'hmac' },
  addressId: string,
  at: Date,
): string {
  return confirmationKey({
    secret,
    ...(salt === undefined ? {} : { salt }),
    addressId: primaryKey(site, addressId),
    at,
  })
}

/** Django signs an integer as one, and a UUID as its text. */
function primaryKey({ db, shape }: Site, addressId: string): AddressId {
  const { type } = shape.addressKey
  const isInteger = db.dialect.typeFamily(type) === 'integer'
  return isInteger ? BigInt(addressId) : db.dialect.shownKey(addressId, type)
}

const KEY_LENGTH = 64 // the column has no more

/** get_random_string(64).lower(): the view looks for the key in lower case. */
function confirmationRowKey(): string {
  return randomAlphanumerics(KEY_LENGTH).toLowerCase()
}

/** With `sent`, from which allauth counts; a row without it makes its page fail. Old rows are in nobody's way. */
async function insertConfirmation(site: Site, addressId: string, key: string, at: Instant): Promise<void> {
  const { tables, shape } = site
  if (!shape.confirmations) throw new Error('the links have not been checked')
  const { confirmations } = tables
  const values = new Map([
    ['created', sql`${sql.param(at, confirmations.created)}`],
    ['sent', sql`${sql.param(at, confirmations.sent)}`],
    ['key', sql`${key}`],
    ['email_address_id', sql`${sql.param(addressId, confirmations.emailAddress)}`],
  ])
  await insertRow(site, shape.confirmations, values, 'key')
}

/** Signed keys count whole seconds. */
function expiry(days: number, at: Date): Instant {
  return instantOf(new Date(Math.floor(at.getTime() / 1000) * 1000 + days * DAY_MILLISECONDS))
}
