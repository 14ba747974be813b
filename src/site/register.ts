import { type Catalog, type Column, columnOf, type ForeignKey } from '../db/catalog.ts'
import { EMAIL_ADDRESSES, type Shape } from './discover.ts'

/** What happens to a row when the row it refers to is deleted. */
export type Rule = 'delete' | 'set-null' | 'keep'

/** The rule, then the columns that tell when the user to whom the row belongs was there, in some version of the app. */
type Registered = readonly [rule: Rule, ...times: string[]]

/**
 * What well-known Django apps do on_delete, for the rows that belong to the account itself. Read in the apps' models;
 * the database knows none of it, because Django deletes by itself. What is missing here is the site's content, and
 * social_auth_usersocialauth: whoever logs in by it must stay, and the guard `social` reads allauth's table only.
 */
const REGISTER: Record<string, Registered> = {
  // django-allauth
  'account_emailaddress.user_id': ['delete'],
  'account_emailconfirmation.email_address_id': ['delete'],
  'socialaccount_socialaccount.user_id': ['delete', 'last_login'],
  'socialaccount_socialtoken.account_id': ['delete'],
  'mfa_authenticator.user_id': ['delete', 'created_at', 'last_used_at'],
  'usersessions_usersession.user_id': ['delete', 'created_at', 'last_seen_at'],
  'allauth_idp_oidc_token.user_id': ['delete', 'created_at'],
  // Django REST framework, Simple JWT, Knox: a token may be used until it expires, and a renewed one is blacklisted
  'authtoken_token.user_id': ['delete', 'created'],
  'token_blacklist_outstandingtoken.user_id': ['delete', 'created_at', 'expires_at'],
  'token_blacklist_blacklistedtoken.token_id': ['delete', 'blacklisted_at'],
  'knox_authtoken.user_id': ['delete', 'created', 'expiry'],
  // Django OAuth Toolkit; an application is no plumbing: other people's tokens hang on it
  'oauth2_provider_accesstoken.user_id': ['delete', 'created', 'updated'],
  'oauth2_provider_accesstoken.id_token_id': ['delete'],
  'oauth2_provider_accesstoken.source_refresh_token_id': ['set-null'],
  'oauth2_provider_idtoken.user_id': ['delete', 'created', 'updated'],
  'oauth2_provider_grant.user_id': ['delete', 'created', 'updated'],
  'oauth2_provider_refreshtoken.user_id': ['delete', 'created', 'updated'],
  'oauth2_provider_refreshtoken.access_token_id': ['set-null'],
  // django-otp
  'otp_totp_totpdevice.user_id': ['delete', 'created_at', 'last_used_at'],
  'otp_hotp_hotpdevice.user_id': ['delete', 'created_at', 'last_used_at'],
  'otp_email_emaildevice.user_id': ['delete', 'created_at', 'last_used_at'],
  'otp_static_staticdevice.user_id': ['delete', 'created_at', 'last_used_at'],
  'otp_static_statictoken.device_id': ['delete'],
  // Others that hang on the account
  'guardian_userobjectpermission.user_id': ['delete'],
  'wagtailusers_userprofile.user_id': ['delete'],
  // History stays, and forgets the name
  'reversion_revision.user_id': ['set-null', 'date_created'],
  'auditlog_logentry.actor_id': ['set-null', 'timestamp'],
}

/** The link tables of Django's permissions are named after the user table: `auth_user_groups`. */
const PERMISSION_LINKS = [
  { suffix: '_groups', column: 'group_id', target: 'auth_group' },
  { suffix: '_user_permissions', column: 'permission_id', target: 'auth_permission' },
]

/** django-simple-history makes one such column for each model that it follows. */
const HISTORY_COLUMN = 'history_user_id'
const HISTORY: Registered = ['set-null', 'history_date']

/** Guards read one table of each: another of that name may say of a user what they never learn. */
const READ_BY_GUARDS: Record<string, 'emailAddresses' | 'socialAccounts'> = {
  [EMAIL_ADDRESSES]: 'emailAddresses',
  socialaccount_socialaccount: 'socialAccounts',
}

/** Returns the rule that the app of this foreign key follows itself, or undefined when it is not known. */
export function registeredRule(key: ForeignKey, shape: Shape): Rule | undefined {
  const name = key.table === shape.emailAddresses ? EMAIL_ADDRESSES : key.table.name
  const read = READ_BY_GUARDS[name]
  if (read && shape[read] !== key.table) return undefined
  const [rule] = registered(name, key) ?? []
  if (rule) return rule === 'set-null' && !key.nullable ? undefined : rule
  return isPermissionLink(key, shape.catalog) ? 'delete' : undefined
}

/**
 * Returns those columns of the key's table which tell when the user to whom a row belongs was there; none where the app
 * is not known, or tells nothing.
 */
export function registeredTimes(key: ForeignKey): Column[] {
  const [, ...times] = registered(key.table.name, key) ?? []
  return times.flatMap((time) => columnOf(key.table, time) ?? [])
}

function registered(table: string, { columns: [column = ''] }: ForeignKey): Registered | undefined {
  return REGISTER[`${table}.${column}`] ?? (column === HISTORY_COLUMN ? HISTORY : undefined)
}

/** Besides its key it has just the two references: a table with more is the site's own idea of membership. */
function isPermissionLink({ table, columns, references }: ForeignKey, { foreignKeys }: Catalog): boolean {
  const link = PERMISSION_LINKS.find(({ suffix }) => table.name === references.name + suffix)
  if (!link) return false
  const known = [...columns, link.column, table.primaryKey.join()]
  return (
    table.columns.every(({ name }) => known.includes(name)) &&
    foreignKeys.some(
      (key) =>
        key.table === table && key.columns.join() === link.column && key.references.name === link.target,
    )
  )
}
