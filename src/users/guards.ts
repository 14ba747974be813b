import { gt, inArray, type SQL, sql } from 'drizzle-orm'
import { refersTo } from '../db/foreign-keys.ts'
import { tableName } from '../db/identifiers.ts'
import type { Instant } from '../django/datetime.ts'
import { MAY_HAVE_ARRIVED } from '../site/ledger.ts'
import { ABOVE, HERE } from '../site/relations.ts'
import { signsOfLife } from '../site/signs-of-life.ts'
import type { Site } from '../site/site.ts'
import { isCalled } from './called.ts'
import type { Criteria, GuardName, GuardSettings } from './criteria.ts'
import { hasRows } from './empty-tables.ts'
import { isAny } from './is-any.ts'
import { isOfUser, isUserAmong } from './of-user.ts'
import { refersToUser } from './refers-to-user.ts'
import { hasDomain } from './select.ts'

/** Why each guard keeps somebody, to follow "kept:". */
export const GUARD_EXPLANATIONS: Record<GuardName, string> = {
  recent: 'joined, or was last written to, within the grace period',
  seen: 'was seen since the cut-off: a session, a token, a change',
  staff: 'is staff or superuser',
  'verified-address': 'has another address that is verified',
  social: 'logs in with a social account',
  deactivated: 'was deactivated by a person',
  content: 'has rows that no rule lets go',
  protected: 'is on the protect list',
}

/** A guard as a condition on the user table: true keeps the user. */
export interface GuardCondition {
  readonly guard: GuardName
  readonly condition: SQL
  /** The same, where another way is quicker for all users at once. */
  readonly ofEverybody: SQL | undefined
}

/**
 * Returns the guards that are switched on, `content` apart (it depends on the rules for dependents). A guard whose
 * columns the user model lacks is off.
 */
export function guardConditions(site: Site, { guards, selection }: Criteria): GuardCondition[] {
  const included = new Set<string>(guards.include)
  const conditions: Partial<Record<GuardName, SQL | undefined>> = {
    recent: recent(site, guards, confirmedLately),
    seen: seen(site, selection.cutoff),
    staff: staff(site),
    'verified-address': verifiedAddress(site),
    social: social(site),
    deactivated: site.tables.users.is_active && sql`${site.tables.users.is_active} is not true`,
    protected: onProtectList(site, guards.protect ?? []),
  }
  return (Object.keys(conditions) as GuardName[]).flatMap((guard) => {
    const condition = conditions[guard]
    const isQuicker = guard === 'recent' && !guards.ignoresReminders
    const ofEverybody = isQuicker ? recent(site, guards, amongConfirmedLately) : undefined
    return condition && !included.has(guard) ? [{ guard, condition, ofEverybody }] : []
  })
}

/** What a guard asks for and a site lacks. */
export interface Lacking {
  readonly guard: GuardName
  /** In words: `no is_active`. */
  readonly what: readonly string[]
  /** What that means: `it is off`. */
  readonly so: string
  /** What nobody at all is kept for then: `having been deactivated`. */
  readonly nobodyFor?: string
}

/** Returns what each guard asks for and this site lacks. */
export function guardsWithout({ db, tables: { users }, shape }: Site): Lacking[] {
  const { is_staff: isStaff, is_superuser: isSuperuser } = users
  const so = 'it is off'
  const lacking: readonly (Lacking & { readonly found: unknown })[] = [
    {
      guard: 'recent',
      found: users.date_joined,
      what: ['no date_joined'],
      so: 'only what was sent counts',
      nobodyFor: 'having joined lately',
    },
    {
      guard: 'seen',
      found: signsOfLife(shape, db.dialect.isTime)[0],
      what: ['no table of sessions or tokens is known'],
      so,
    },
    {
      guard: 'staff',
      found: isStaff ?? isSuperuser,
      what: ['no is_staff', 'no is_superuser'],
      so,
      nobodyFor: 'being staff',
    },
    { guard: 'staff', found: isStaff ?? !isSuperuser, what: ['no is_staff'], so: 'only superusers count' },
    { guard: 'staff', found: isSuperuser ?? !isStaff, what: ['no is_superuser'], so: 'only staff counts' },
    {
      guard: 'deactivated',
      found: users.is_active,
      what: ['no is_active'],
      so,
      nobodyFor: 'having been deactivated',
    },
    { guard: 'social', found: shape.socialAccounts, what: ['no socialaccount_socialaccount'], so },
  ]
  return lacking.filter(({ found }) => !found)
}

function recent(
  site: Site,
  { recentAfter, ignoresReminders }: GuardSettings,
  confirmed: typeof confirmedLately,
): SQL | undefined {
  if (recentAfter === undefined) return undefined
  const { users, confirmations, reminders } = site.tables
  const signs: SQL[] = []
  const joined = users.date_joined
  if (joined) signs.push(gt(joined, recentAfter), sql`not ${site.db.dialect.isInstant(sql`${joined}`)}`)
  if (site.shape.confirmations) {
    const lately = gt(confirmations.sent, recentAfter)
    const aside = ignoresReminders && site.shape.hasLedger
    signs.push(confirmed(site, aside ? sql`${lately} and ${notOurs(site)}` : lately))
  }
  if (site.shape.hasLedger && !ignoresReminders) {
    signs.push(sql`exists (select 1 from ${reminders} where ${reminders.userKey} = cast(${users.key} as text)
      and ${inArray(reminders.status, MAY_HAVE_ARRIVED)} and ${gt(reminders.createdAt, recentAfter)})`)
  }
  return signs.length > 0 ? isAny(signs) : undefined
}

/** The user was sent such a confirmation. */
function confirmedLately(site: Site, lately: SQL): SQL {
  const { emailAddresses: address, confirmations } = site.tables
  return sql`exists (select 1 from ${address} join ${confirmations} on ${confirmations.emailAddress} = ${address.id}
    where ${isOfUser(site, site.shape.emailAddresses)} and ${lately})`
}

/** The same, when all confirmations are read once. */
function amongConfirmedLately(site: Site, lately: SQL): SQL {
  const { emailAddresses: address, confirmations } = site.tables
  const written = sql`${address.id} in (select ${confirmations.emailAddress} from ${confirmations} where ${lately})`
  return isUserAmong(site, site.shape.emailAddresses, written)
}

/** The confirmation of a reminder has its time. */
function notOurs({ tables: { emailAddresses: address, confirmations, reminders } }: Site): SQL {
  return sql`not exists (select 1 from ${reminders} where ${reminders.userKey} = cast(${address.user} as text)
    and ${reminders.createdAt} = ${confirmations.sent})`
}

/** A time that nobody can read may be one of yesterday. */
function seen(site: Site, cutoff: Instant): SQL | undefined {
  const { dialect } = site.db
  const signs = signsOfLife(site.shape, dialect.isTime).map(({ key, through, times }) => {
    const late = times.flatMap((name) => {
      const { time } = dialect.kit.table(key.table, { time: dialect.kit.instant(name) })
      const here = sql`${HERE}.${sql.identifier(name)}`
      return [sql`${here} > ${sql.param(cutoff, time)}`, sql`not ${dialect.isInstant(here)}`]
    })
    const rows = sql`${tableName(key.table)} ${HERE}`
    const owned = through && {
      from: sql`${rows} join ${tableName(through.table)} ${ABOVE} on ${refersTo(key, HERE, ABOVE)}`,
      name: ABOVE,
    }
    const where = isAny(late)
    return sql`(${hasRows(key.table)}
      and ${refersToUser(site, through ?? key, { from: rows, name: HERE, ...owned, where })})`
  })
  return signs.length > 0 ? isAny(signs) : undefined
}

function staff({ db, tables: { users } }: Site): SQL | undefined {
  const columns = [users.is_staff, users.is_superuser]
  const signs = columns.flatMap((column) => (column ? [db.dialect.mayBeTrue(sql`${column}`)] : []))
  return signs.length > 0 ? isAny(signs) : undefined
}

function verifiedAddress(site: Site): SQL {
  const { emailAddresses: address } = site.tables
  return sql`exists (select 1 from ${address}
    where ${isOfUser(site, site.shape.emailAddresses)} and ${site.db.dialect.mayBeTrue(sql`${address.verified}`)})`
}

function social(site: Site): SQL | undefined {
  const { socialAccounts } = site.shape
  if (!socialAccounts) return undefined
  return sql`(${hasRows(socialAccounts)} and exists (
    select 1 from ${tableName(socialAccounts)} where ${isOfUser(site, socialAccounts)}))`
}

/** An entry protects everybody whom it may mean: the id, the username, any address or its domain. */
function onProtectList(site: Site, entries: readonly string[]): SQL | undefined {
  if (entries.length === 0) return undefined
  const domains = entries.filter((entry) => entry.startsWith('@')).map((entry) => entry.slice(1))
  return isCalled(site, entries, (email) => domains.map((domain) => hasDomain(site, email, domain)))
}
