import type { Instant } from '../django/datetime.ts'
import type { RuleSettings } from '../site/rules.ts'

/** Who is a candidate: an unverified primary address, no login after the cut-off, and the filters. */
export interface Selection {
  /** Selected when `last_login` is NULL or not later than this. */
  readonly cutoff: Instant
  /** Selected when `date_joined` is earlier than this. */
  readonly joinedBefore?: Instant | undefined
  readonly neverLoggedIn?: boolean | undefined
  /** Selected when the last reminder was delivered so long ago. */
  readonly reminded?: Reminded | undefined
  /** Selected when the date that the last reminder named for the deletion has come. */
  readonly deletionDue?: DeletionDue | undefined
  /** Domains of the primary address, without `@`; any of them. */
  readonly emailDomains?: readonly string[] | undefined
  /** Ids, usernames or addresses; any of them. */
  readonly users?: readonly string[] | undefined
  /** Ids; any of them, however many. */
  readonly userIds?: readonly string[] | undefined
  /** As the database has them, which an id need not show; any of them. Queries know no other names. */
  readonly userKeys?: readonly string[] | undefined
  /** At most so many. */
  readonly limit?: number | undefined
}

/** Returns the selection without whom it names, and how many at most. */
export function withoutNamedUsers(selection: Selection): Selection {
  return { ...selection, users: undefined, userIds: undefined, userKeys: undefined, limit: undefined }
}

export interface Reminded {
  /** The reminder was delivered not later than this. */
  readonly before: Instant
  /** Whoever was told of a deletion after this is not selected. */
  readonly at: Instant
}

export interface DeletionDue {
  readonly at: Instant
  /** A reminder that named no date counts when it was delivered not later than this. */
  readonly remindedBefore: Instant
  /** Selects everybody else. */
  readonly negated?: boolean
}

export const GUARD_NAMES = [
  'recent',
  'seen',
  'staff',
  'verified-address',
  'social',
  'deactivated',
  'content',
  'protected',
] as const
export type GuardName = (typeof GUARD_NAMES)[number]

/** The guards that `--include` switches off; the others have an option of their own, or none. */
export const INCLUDABLE = ['seen', 'staff', 'verified-address', 'social', 'deactivated'] as const
export type IncludableGuard = (typeof INCLUDABLE)[number]

export interface GuardSettings {
  /** Whoever joined or was written to after this is recent. Undefined: no grace, the guard is off. */
  readonly recentAfter?: Instant | undefined
  readonly include?: readonly IncludableGuard[] | undefined
  /** Ids, usernames, addresses or `@domain`. */
  readonly protect?: readonly string[] | undefined
  /** `shop_invoice.user_id`: columns that refer to users without a foreign key: their rows keep as content does. */
  readonly references?: readonly string[] | undefined
  /** Who is mailed loses nothing: rows keep nobody. */
  readonly ignoresContent?: boolean | undefined
  /** The tool's own reminders make nobody recent: something else counts them. */
  readonly ignoresReminders?: boolean | undefined
}

/** Everything that decides who is listed, kept and deleted; the same for every command. */
export interface Criteria {
  readonly selection: Selection
  readonly guards: GuardSettings
  /** In order of precedence: command line, then configuration file. */
  readonly rules: readonly RuleSettings[]
}
