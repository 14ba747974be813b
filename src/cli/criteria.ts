import type { Configured } from '../config/configured.ts'
import { instantOf } from '../django/datetime.ts'
import { invalid } from '../errors.ts'
import type { Criteria } from '../users/criteria.ts'
import {
  graceStart,
  pastInstant,
  shownInstant,
  sinceText,
  type WallClock,
  zoneFrom,
} from '../values/dates.ts'
import { counted, shownNumber } from '../values/numbers.ts'
import { withName } from '../values/readers.ts'
import type { Context } from './context.ts'
import { GRACE, SINCE } from './defaults.ts'
import { linesFrom } from './lines-from.ts'
import type { CriteriaOptions, SelectionOptions } from './options.ts'

/**
 * Returns what the options, completed by the configuration file, ask for. Reads the files that they name.
 * Throws a UserError that names the option.
 */
export async function criteriaFrom(
  options: CriteriaOptions,
  configured: Configured,
  context: Context,
): Promise<Criteria> {
  const clock = clockOf(options, configured, context)
  const { since = SINCE, joinedBefore, remindedBefore, usersFrom, protectFrom } = options
  const grace = options.grace ?? configured.grace ?? GRACE
  if ([...(usersFrom ?? []), ...(protectFrom ?? [])].filter((file) => file === '-').length > 1) {
    throw invalid('standard input can be read once: one - among --users-from and --protect-from')
  }
  return {
    selection: {
      cutoff: withName('--since', () => pastInstant(since, clock)),
      joinedBefore: joinedBefore && withName('--joined-before', () => pastInstant(joinedBefore, clock)),
      neverLoggedIn: options.neverLoggedIn,
      reminded:
        remindedBefore === undefined
          ? undefined
          : {
              before: withName('--reminded-before', () => pastInstant(remindedBefore, clock)),
              at: instantOf(clock.now),
            },
      emailDomains: options.emailDomain,
      users: options.user,
      userIds:
        usersFrom === undefined
          ? undefined
          : await linesFrom('--users-from', usersFrom, context, { pipeMayBeEmpty: true }),
      limit: options.limit,
    },
    guards: {
      recentAfter: withName('--grace', () => graceStart(grace, clock)),
      include: options.include,
      references: configured.references,
      protect: [
        ...(options.protect ?? []),
        ...(await linesFrom('--protect-from', protectFrom ?? [], context)),
        ...(configured.protect ?? []),
      ],
    },
    rules: [{ cascade: options.cascade, setNull: options.setNull }, configured.rules],
  }
}

/** Returns the clock of this run. Throws a UserError (invalid) for a zone that does not exist. */
export function clockOf(
  { timeZone }: Pick<SelectionOptions, 'timeZone'>,
  configured: Configured,
  context: Context,
): WallClock {
  const zone =
    timeZone === undefined ? configured.timeZone : withName('--time-zone', () => zoneFrom(timeZone))
  return { now: context.now(), zone: zone ?? 'UTC' }
}

/** Returns what has been understood, for the person who typed it: who is selected, with the instant and its zone. */
export function understood({ selection }: Criteria, { zone }: WallClock): string {
  const { cutoff, joinedBefore, neverLoggedIn, reminded, emailDomains, userIds, users, limit } = selection
  const conditions = [
    'primary address unverified',
    neverLoggedIn ? 'never logged in' : sinceText(cutoff, zone),
    joinedBefore && `joined before ${shownInstant(joinedBefore, zone)}`,
    reminded && `last reminded before ${shownInstant(reminded.before, zone)}`,
    emailDomains && `address at ${emailDomains.join(' or ')}`,
    users && `user ${users.join(' or ')}`,
    userIds && `among ${counted(userIds.length, 'id')} given`,
    limit && `at most ${shownNumber(limit)}`,
  ]
  return conditions.filter(Boolean).join(', ')
}
