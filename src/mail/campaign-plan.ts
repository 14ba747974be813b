import { groupBy } from '../db/group-by.ts'
import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from '../users/criteria.ts'
import { withNamedUsers } from '../users/identify.ts'
import { addKept, countKept, type KeptCounts } from '../users/kept-counts.ts'
import { keyOf, listPages, usersIn } from '../users/list.ts'
import { earlierReminders } from './earlier-reminders.ts'
import { type Recipient, recipientsAmong } from './recipients.ts'
import { type ReminderRules, type SkipReason, skipReason } from './reminder-rules.ts'
import { isVerifiedElsewhere } from './taken-address.ts'

/** What a campaign would do. */
export interface CampaignPlan {
  readonly since: string
  readonly matched: number
  readonly toMail: number
  readonly kept: KeptCounts
  /** Why → candidates whom no guard keeps, and who are not mailed all the same. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>
  readonly groups: readonly PlannedGroup[]
  /** One of those who are to be mailed. */
  readonly example?: Due | undefined
}

/** Some of those who are to be mailed. */
interface PlannedGroup {
  /** In one text (JSON). */
  readonly keys: string
  readonly hasContent: boolean
}

export interface PlanOptions {
  /** The mails name the date of a deletion. */
  readonly namesDate: boolean
}

/** A candidate, and what keeps the user from being mailed. */
export interface Judged {
  readonly key: string
  readonly guards: readonly GuardName[]
  /** Rows keep the user from being deleted: no mail may name a date. Looked at only where mails name one. */
  readonly hasContent: boolean
  readonly recipient?: Recipient | undefined
  readonly skipped?: SkipReason | undefined
  /** The last mail to the user failed. */
  readonly hasFailed?: boolean | undefined
}

type Due = Judged & { readonly recipient: Recipient }

/** Returns what a campaign would do now. What happens meanwhile is seen when each mail's turn comes. */
export async function planCampaign(
  site: Site,
  criteria: Criteria,
  rules: ReminderRules,
  options: PlanOptions,
): Promise<CampaignPlan> {
  let kept: KeptCounts = {}
  const skipped: Partial<Record<SkipReason, number>> = {}
  const { cutoff, limit = Number.POSITIVE_INFINITY } = criteria.selection
  const groups: PlannedGroup[] = []
  const failedBefore: Addressed[] = []
  let [matched, toMail] = [0, 0]
  let example: Due | undefined
  const add = (users: readonly Addressed[]) => {
    const those = users.slice(0, limit - toMail)
    groups.push(...groupsOf(those))
    toMail += those.length
  }
  for await (const page of judgedCandidates(site, criteria, rules, options)) {
    matched += page.length
    kept = addKept(kept, countKept(page))
    for (const { skipped: reason } of page) if (reason) skipped[reason] = (skipped[reason] ?? 0) + 1
    const due = page.filter(isDue)
    for (const { key, hasContent, hasFailed } of due) if (hasFailed) failedBefore.push({ key, hasContent })
    add(due.filter(({ hasFailed }) => !hasFailed))
    example ??= due[0]
  }
  // Last, for they may fail again, and many failures end a campaign.
  add(failedBefore)
  return { since: cutoff, matched, toMail, kept, skipped, groups, example }
}

type Addressed = Pick<Judged, 'key' | 'hasContent'>

function groupsOf(users: readonly Addressed[]): PlannedGroup[] {
  return [...groupBy(users, ({ hasContent }) => hasContent)].map(([hasContent, those]) => ({
    keys: JSON.stringify(those.map(({ key }) => key)),
    hasContent,
  }))
}

/** Some who are to be mailed, by key. */
export interface MailGroup {
  readonly keys: readonly string[]
  readonly hasContent: boolean
}

/** Yields those who are to be mailed, so many at a time. */
export function* plannedGroups({ groups }: CampaignPlan, size: number): Generator<MailGroup> {
  for (const { keys: text, hasContent } of groups) {
    const keys: string[] = JSON.parse(text)
    for (let at = 0; at < keys.length; at += size) yield { keys: keys.slice(at, at + size), hasContent }
  }
}

/** Returns what is known of the user with this key; undefined for one whom the criteria do not select. */
export async function judgeUser(
  site: Site,
  criteria: Criteria,
  rules: ReminderRules,
  options: PlanOptions,
  key: string,
): Promise<Judged | undefined> {
  const { selection } = await withNamedUsers(site, criteria)
  if (selection.userKeys?.includes(key) === false) return undefined
  const alone = { ...criteria, selection: { ...selection, userKeys: [key] } }
  for await (const [judged] of judgedCandidates(site, alone, rules, options)) return judged
  return undefined
}

/** Returns the criteria with the guards as they are for mail. */
export function forMail(criteria: Criteria): Criteria {
  return { ...criteria, guards: { ...criteria.guards, ignoresContent: true, ignoresReminders: true } }
}

function isDue(judged: Judged): judged is Due {
  const { guards, skipped, recipient } = judged
  return guards.length === 0 && skipped === undefined && recipient !== undefined
}

/** Yields all candidates by key, page by page: the limit is one of mails. */
async function* judgedCandidates(
  site: Site,
  criteria: Criteria,
  rules: ReminderRules,
  { namesDate }: PlanOptions,
): AsyncGenerator<Judged[]> {
  const { selection, guards } = forMail(criteria)
  const all = {
    ...criteria,
    selection: { ...selection, limit: undefined },
    guards: { ...guards, ignoresContent: !namesDate },
  }
  const pages = listPages(site, { criteria: all, fields: ['key', 'kept_because'], show: 'all' })
  for await (const page of pages) {
    const users = usersIn(page).map((user) => {
      const { kept_because = [] } = user
      return {
        key: keyOf(user),
        guards: kept_because.filter((guard) => guard !== 'content'),
        hasContent: kept_because.includes('content'),
      }
    })
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
    if (candidate.guards.length > 0) return candidate
    const recipient = byKey.get(candidate.key)
    if (!recipient) return { ...candidate, skipped: 'unmailable' as const }
    const earlier = earlierOf(recipient)
    const hasFailed = earlier.at(-1)?.status === 'failed'
    return { ...candidate, recipient, hasFailed, skipped: skipReason(recipient, earlier, rules) }
  })
}
