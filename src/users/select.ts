import { and, isNull, lt, lte, not, or, type SQL, sql } from 'drizzle-orm'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import type { UserColumn } from '../site/site-names.ts'
import type { UserTable } from '../site/tables.ts'
import type { Selection } from './criteria.ts'
import { isOfUser } from './of-user.ts'
import { deletionHasCome, lastRemindedBefore } from './reminded.ts'
import { spellings } from './spellings.ts'

/** One condition of the selection, and what remains of the users when it holds, for people. */
export interface SelectionStep {
  readonly remaining: string
  /** About those who have been named: what they lack is of more interest than that they are not among the others. */
  readonly isFirst?: true
  readonly condition: SQL
}

/**
 * Returns the conditions that make a user a candidate, in the order in which they are explained. Django's
 * `filter(emailaddress__verified=False, emailaddress__primary=True).exclude(last_login__gt=cutoff)`, then the filters.
 * Throws a UserError when the user model has no column that a condition needs.
 */
export function selectionSteps(site: Site, selection: Selection): SelectionStep[] {
  // To overlook this would select everybody.
  if (selection.users !== undefined) throw new Error('the named users have not been identified')
  return [
    { remaining: 'with an unverified primary address', condition: hasUnverifiedPrimary(site) },
    { remaining: 'not logged in since the cut-off', condition: notLoggedInSince(site, selection.cutoff) },
    ...filters(site, selection),
  ]
}

/** Returns the whole selection as one condition on the user table. */
export function selected(site: Site, selection: Selection): SQL {
  const [primary, login, ...further] = selectionSteps(site, selection).map((step) => step.condition)
  // The column of the row at hand first: it spares most users the look into another table.
  return all([login, primary, ...further])
}

/** Returns the address that a candidate is listed with: of several unverified primary ones the oldest. */
export function unverifiedPrimaryEmail(site: Site): SQL {
  return unverifiedPrimary(site, sql`${site.tables.emailAddresses.email}`)
}

/** Returns the key of the row with that address. */
export function unverifiedPrimaryKey(site: Site): SQL {
  return unverifiedPrimary(site, sql`${site.tables.emailAddresses.id}`)
}

function unverifiedPrimary(site: Site, column: SQL): SQL {
  const { emailAddresses: address } = site.tables
  return sql`(select ${column} from ${address} where ${unverifiedPrimaryOf(site)} order by ${address.id} limit 1)`
}

function unverifiedPrimaryOf(site: Site): SQL {
  const { emailAddresses: address } = site.tables
  const verified = site.db.dialect.mayBeTrue(sql`${address.verified}`)
  return sql`${isOfUser(site, site.shape.emailAddresses)} and ${address.primary} and not ${verified}`
}

function hasUnverifiedPrimary(site: Site, further: SQL = sql``): SQL {
  return sql`exists (select 1 from ${site.tables.emailAddresses} where ${unverifiedPrimaryOf(site)}${further})`
}

function notLoggedInSince(site: Site, cutoff: string): SQL {
  const column = neededColumn(site, 'last_login', 'tell who has not logged in')
  // What nobody can read may be a login of yesterday.
  const isOld = and(lte(column, cutoff), site.db.dialect.isInstant(sql`${column}`))
  return all([or(isNull(column), isOld)])
}

function filters(site: Site, selection: Selection): SelectionStep[] {
  const { users, emailAddresses: address } = site.tables
  const { dialect } = site.db
  const steps: SelectionStep[] = []
  const add = (remaining: string, condition: SQL) => steps.push({ remaining, condition })
  if (selection.neverLoggedIn) {
    add('who never logged in', isNull(neededColumn(site, 'last_login', 'tell who never logged in')))
  }
  if (selection.joinedBefore !== undefined) {
    const column = neededColumn(site, 'date_joined', 'tell who joined before the date')
    const isReadable = dialect.isInstant(sql`${column}`)
    add('who joined before the date', all([lt(column, selection.joinedBefore), isReadable]))
  }
  if (selection.emailDomains !== undefined) {
    const domains = selection.emailDomains.map(
      (domain) => sql` ${hasDomain(site, sql`${address.email}`, domain)}`,
    )
    add(
      'with an address at the domains',
      hasUnverifiedPrimary(site, sql` and (${sql.join(domains, sql` or `)})`),
    )
  }
  if (selection.reminded !== undefined) {
    add(
      'whose last reminder arrived before the date',
      lastRemindedBefore(site, selection.reminded, unverifiedPrimaryEmail(site)),
    )
  }
  const { deletionDue } = selection
  if (deletionDue !== undefined) {
    add(
      `whose date of deletion has ${deletionDue.negated ? 'not ' : ''}come`,
      deletionHasCome(site, deletionDue, unverifiedPrimaryEmail(site)),
    )
  }
  if (selection.userKeys !== undefined) {
    const keys = selection.userKeys
    steps.push({
      remaining: 'among those named',
      condition: dialect.keyAmong(sql`${users.key}`, site.shape.userKey.type, keys),
      isFirst: true,
    })
  }
  return steps
}

/** Returns the condition that the address is at the domain, whatever the case of either. */
export function hasDomain(site: Site, email: SQL, domain: string): SQL {
  const { foldCase } = site.db.dialect
  const patterns = spellings([`@${domain}`]).map((each) => `%${each.replace(/[!%_]/g, '!$&')}`)
  const ways = patterns.map(
    (pattern) => sql`${foldCase(email)} like ${foldCase(sql`cast(${pattern} as text)`)} escape '!'`,
  )
  return sql`(${sql.join(ways, sql` or `)})`
}

/** Returns the column. Throws a UserError when the user model has none. */
export function neededColumn<Name extends UserColumn>(
  site: Site,
  column: Name,
  purpose: string,
): NonNullable<UserTable[Name]> {
  const found = site.tables.users[column]
  if (found) return found
  throw new UserError(`the user table ${site.shape.users.label} has no column ${column}: cannot ${purpose}`, {
    hint: `name the column in the configuration file (columns.${column})`,
  })
}

function all(conditions: (SQL | undefined)[]): SQL {
  return and(...conditions) ?? not(sql`false`)
}
