import { columnOf, type ForeignKey } from '../db/catalog.ts'
import type { Shape } from './discover.ts'
import { HISTORY_COLUMN } from './register.ts'

/**
 * The times at which rows of well-known apps show that their user was there: `last_login` knows of no request with a
 * token, and of none in a session that began long ago. Read in the apps' models; a version may lack some of them.
 */
const TIMES: Record<string, readonly string[]> = {
  // django-allauth
  'usersessions_usersession.user_id': ['created_at', 'last_seen_at'],
  'mfa_authenticator.user_id': ['created_at', 'last_used_at'],
  'socialaccount_socialaccount.user_id': ['last_login'],
  'allauth_idp_oidc_token.user_id': ['created_at'],
  // Django REST framework, Simple JWT, Knox
  'authtoken_token.user_id': ['created'],
  'token_blacklist_outstandingtoken.user_id': ['created_at'],
  'knox_authtoken.user_id': ['created'],
  // Django OAuth Toolkit
  'oauth2_provider_accesstoken.user_id': ['created', 'updated'],
  'oauth2_provider_idtoken.user_id': ['created', 'updated'],
  'oauth2_provider_grant.user_id': ['created', 'updated'],
  'oauth2_provider_refreshtoken.user_id': ['created', 'updated'],
  // django-otp
  'otp_totp_totpdevice.user_id': ['created_at', 'last_used_at'],
  'otp_hotp_hotpdevice.user_id': ['created_at', 'last_used_at'],
  'otp_email_emaildevice.user_id': ['created_at', 'last_used_at'],
  'otp_static_staticdevice.user_id': ['created_at', 'last_used_at'],
  // Who changed what
  'reversion_revision.user_id': ['date_created'],
  'auditlog_logentry.actor_id': ['timestamp'],
}

const HISTORY_TIMES = ['history_date']

/** Rows that show when the user whom they refer to was there. */
export interface SignOfLife {
  readonly key: ForeignKey
  readonly times: readonly string[]
}

/** Returns the signs of life that this site keeps, those in columns of a type that `isTime`. */
export function signsOfLife({ catalog, users }: Shape, isTime: (type: string) => boolean): SignOfLife[] {
  return catalog.foreignKeys.flatMap((key) => {
    const times = timesOf(key).filter((name) => isTime(columnOf(key.table, name)?.type ?? ''))
    return key.references === users && times.length > 0 ? [{ key, times }] : []
  })
}

function timesOf({ table, columns: [column = ''] }: ForeignKey): readonly string[] {
  const known = TIMES[`${table.name}.${column}`] ?? (column === HISTORY_COLUMN ? HISTORY_TIMES : [])
  return known.filter((name) => columnOf(table, name))
}
