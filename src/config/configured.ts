import type { MailOptions } from '../mail/settings.ts'
import type { RuleSettings } from '../site/rules.ts'
import type { SiteNames } from '../site/site-names.ts'
import type { Limit } from '../values/limit.ts'

/** What the configuration file says; everything has been checked, nothing is filled in. */
export interface Configured {
  readonly database?: string | undefined
  readonly timeZone?: string | undefined
  readonly protect?: readonly string[] | undefined
  /** An age, or `0`. */
  readonly grace?: string | undefined
  readonly maxDelete?: Limit | undefined
  /** Columns that refer to users without a foreign key, as `TABLE.COLUMN`. */
  readonly references?: readonly string[] | undefined
  readonly rules: RuleSettings
  readonly names: SiteNames
  /** The directory of the archives, absolute; false for none. */
  readonly archive?: string | false | undefined
  readonly mail?: MailOptions | undefined
  readonly policy?: Policy | undefined
}

/** What a sweep does, and when. Dates and ages are text: they depend on the zone and the clock. */
export interface Policy {
  readonly since?: string | undefined
  readonly remindAfter?: string | undefined
  readonly remindAgainAfter?: string | undefined
  readonly maxReminders?: number | undefined
  readonly deleteAfterReminder?: string | undefined
  readonly maxDelete?: Limit | undefined
}
