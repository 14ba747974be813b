import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from '../users/criteria.ts'
import { listPages, usersIn } from '../users/list.ts'
import { earlierReminders } from './earlier-reminders.ts'
import { type Recipient, recipientsAmong } from './recipients.ts'
import { type ReminderRules, type SkipReason, skipReason } from './reminder-rules.ts'
import { isVerifiedElsewhere } from './taken-address.ts'

/** What a campaign would do. */
export interface CampaignPlan {
  readonly since: string
  readonly matched: number
  readonly toMail: number
  /** Guard → candidates it keeps. A user whom two guards keep counts for both. */
  readonly kept: Readonly<Partial<Record<GuardName, number>>>
  /** Why → candidates whom no guard keeps, and who are not mailed all the same. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>
  /** Who is to be mailed: keys, some in each text (JSON). */
  readonly groups: readonly string[]
  /** One of them. */
  readonly example?: Recipient | undefined
}

/** A candidate, and what keeps the user from being mailed. */
interface Judged {
  readonly key: string
  readonly guards: readonly GuardName[]
  readonly recipient?: Recipient | undefined
  readonly skipped?: SkipReason | undefined
  /** The last mail to the user failed. */
  readonly hasFailed?: boolean | undefined
}

/** Returns what a campaign would do now. What happens meanwhile is seen when each mail's turn comes. */
export async function planCampaign(
  site: Site,
  criteria: Criteria,
  rules: ReminderRules,
): Promise<CampaignPlan> {
  const kept: Partial<Record<GuardName, number>> = {}
  const skipped: Partial<Record<SkipReason, number>> = {}
  const { cutoff, limit = Number.POSITIVE_INFINITY } = criteria.selection
  const groups: string[] = []
  const failedBefore: string[] = []
  let [matched, toMail] = [0, 0]
  let example: Recipient | undefined
  for await (const page of judgedCandidates(site, criteria, rules)) {
    matched += page.length
    for (const { guards, skipped: reason } of page) {
      for (const guard of guards) kept[guard] = (kept[guard] ?? 0) + 1
      if (reason) skipped[reason] = (skipped[reason] ?? 0) + 1
    }
    const due = page.filter(isDue)
    const first = due.filter(({ hasFailed }) => !hasFailed).slice(0, limit - toMail)
    for (const { key, hasFailed } of due) if (hasFailed) failedBefore.push(key)
    if (first.length > 0) groups.push(JSON.stringify(first.map(({ key }) => key)))
    toMail += first.length
    example ??= due[0]?.recipient
  }
  // Last, for they may fail again, and many failures end a campaign.
  const last = failedBefore.slice(0, limit - toMail)
  if (last.length > 0) groups.push(JSON.stringify(last))
  toMail += last.length
  return { since: cutoff, matched, toMail, kept, skipped, groups, example }
}

/** Yields the keys of those who are to be mailed, so many at a time. */
export function* plannedGroups({ groups }: CampaignPlan, size: number): Generator<readonly string[]> {
  for (const group of groups) {
    const keys: string[] = JSON.parse(group)
    for (let at = 0; at < keys.length; at += size) yield keys.slice(at, at + size)
  }
}

/** Returns the criteria with the guards as they are for mail. */
export function forMail(criteria: Criteria): Criteria {
  return { ...criteria, guards: { ...criteria.guards, forMail: true, remindersAside: true } }
}

function isDue({ guards, skipped, recipient }: Judged): boolean {
  return guards.length === 0 && skipped === undefined && recipient !== undefined
}

/** Yields all candidates by key, page by page: the limit is one of mails. */
async function* judgedCandidates(
  site: Site,
  criteria: Criteria,
  rules: ReminderRules,
): AsyncGenerator<Judged[]> {
  const { type } = site.shape.userKey
  const all = { ...forMail(criteria), selection: { ...criteria.selection, limit: undefined } }
  const pages = listPages(site, { criteria: all, fields: ['id', 'kept_because'], show: 'all' })
  for await (const page of pages) {
    const users = usersIn(page).map(({ id, kept_because: guards = [] }) => ({
      key: site.db.dialect.parseKey(id ?? '', type) ?? '',
      guards,
    }))
    yield await judge(site, users, rules)
  }
}

async function judge(
  site: Site,
  page: readonly Omit<Judged, 'skipped'>[],
  rules: ReminderRules,
): Promise<Judged[]> {
  const free = page.filter(({ guards }) => guards.length === 0).map(({ key }) => key)
  const recipients = await recipientsAmong(site, free, isVerifiedElsewhere)
  const earlierOf = await earlierReminders(site, recipients)
  const byKey = new Map(recipients.map((each) => [each.key, each]))
  return page.map((candidate) => {
    const recipient = byKey.get(candidate.key)
    if (!recipient) return candidate
    const earlier = earlierOf(recipient)
    const hasFailed = earlier.at(-1)?.status === 'failed'
    return { ...candidate, recipient, hasFailed, skipped: skipReason(recipient, earlier, rules) }
  })
}
