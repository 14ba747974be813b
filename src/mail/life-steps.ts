import { groupBy } from '../db/group-by.ts'
import type { Instant } from '../django/datetime.ts'
import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from '../users/criteria.ts'
import { keyOf, listPages, listUsers, usersIn } from '../users/list.ts'
import type { ListedUser } from '../users/list-fields.ts'
import { forMail } from './campaign-plan.ts'
import { wasDelivered } from './deletion-date.ts'
import { earlierReminders } from './earlier-reminders.ts'
import { recipientsAmong } from './recipients.ts'
import { type ReminderRules, type SkipReason, skipReason } from './reminder-rules.ts'
import { isVerifiedElsewhere } from './taken-address.ts'

/** What a sweep asks about everybody: who may be reminded, who may be deleted, and among whom. */
export interface SweepCriteria {
  readonly candidates: Criteria
  readonly remind: Criteria
  /** Undefined: a policy that only reminds. */
  readonly remove?: Criteria | undefined
  readonly rules: ReminderRules
}

/** Where a candidate stands, in the order of a life. `stuck`: no mail will reach the user. */
export const STEPS = ['new', 'remind', 'waiting', 'delete', 'stuck', 'kept'] as const
export type Step = (typeof STEPS)[number]

export interface LifeStep {
  readonly id: string
  readonly username: string | null
  readonly email: string | null
  readonly step: Step
  /** The guards that keep the user, or why no mail can reach them. */
  readonly because: readonly (GuardName | SkipReason)[]
  /** The date that the last reminder named, if it was delivered to the present address. */
  readonly deletionDate: Instant | null
}

/** Yields where each candidate stands, by key. Reads in pages: memory stays flat. */
export async function* lifeSteps(site: Site, sweep: SweepCriteria): AsyncGenerator<LifeStep> {
  const request = { criteria: forMail(sweep.candidates), fields: FIELDS, show: 'all' as const }
  for await (const page of listPages(site, request)) yield* await stepsOf(site, sweep, usersIn(page))
}

const FIELDS = ['key', 'id', 'username', 'email', 'kept_because'] as const

async function stepsOf(
  site: Site,
  { remove, rules }: SweepCriteria,
  page: readonly ListedUser[],
): Promise<LifeStep[]> {
  const keys = page.map(keyOf)
  const removable = remove ? await guardsAmong(site, remove, keys) : new Map<string, readonly GuardName[]>()
  const recipients = await recipientsAmong(site, keys, isVerifiedElsewhere)
  const earlierOf = await earlierReminders(site, recipients)
  const recipientOf = groupBy(recipients, ({ key }) => key)
  return page.map((user) => {
    const key = keyOf(user)
    const [recipient] = recipientOf.get(key) ?? []
    const earlier = recipient ? earlierOf(recipient) : []
    const reason = recipient ? skipReason(recipient, earlier, rules) : 'unmailable'
    const last = earlier.findLast(({ userKey }) => userKey === key)
    const named = recipient && last && wasDelivered(last, recipient) ? last : undefined
    const step = judged(user.kept_because ?? [], removable.get(key), reason)
    return {
      id: user.id ?? '',
      username: user.username ?? null,
      email: user.email ?? null,
      deletionDate: named?.deletionAt ?? null,
      // Nobody waits for a date that no mail has named.
      ...(reason === 'enough' && step.step === 'waiting' && !named
        ? { ...step, step: 'stuck' as const }
        : step),
    }
  })
}

/** The first that holds: what keeps a user from a mail keeps the user from everything. */
function judged(
  guards: readonly GuardName[],
  removal: readonly GuardName[] | undefined,
  reason: SkipReason | undefined,
): Pick<LifeStep, 'step' | 'because'> {
  if (guards.length > 0) return { step: 'kept', because: guards }
  if (removal) return { step: removal.length > 0 ? 'kept' : 'delete', because: removal }
  if (reason === 'new') return { step: 'new', because: [] }
  if (reason === undefined) return { step: 'remind', because: [] }
  if (reason === 'reminded' || reason === 'enough') return { step: 'waiting', because: [reason] }
  return { step: 'stuck', because: [reason] }
}

/** Returns those of the users whom the criteria select, with the guards that keep them. */
async function guardsAmong(
  site: Site,
  criteria: Criteria,
  keys: readonly string[],
): Promise<Map<string, readonly GuardName[]>> {
  const selection = { ...criteria.selection, userKeys: keys }
  const among = { ...criteria, selection }
  const found = new Map<string, readonly GuardName[]>()
  for await (const user of listUsers(site, {
    criteria: among,
    fields: ['key', 'kept_because'],
    show: 'all',
  })) {
    found.set(keyOf(user), user.kept_because ?? [])
  }
  return found
}
