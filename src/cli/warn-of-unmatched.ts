import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from '../users/criteria.ts'
import { guardsWithout } from '../users/guards.ts'
import { countGivenIds, type GivenIds, unmatchedProtection } from '../users/unmatched.ts'
import { counted, shownNumber } from '../values/numbers.ts'
import type { CommandContext } from './command-context.ts'
import { type Talk, talkOf } from './talk.ts'

const NAMES_SHOWN = 5

/** Warns of what was given and means nobody: a misspelt name protects no one, nor does a grace period without dates. */
export async function warnOfUnmatched(
  site: Site,
  criteria: Criteria,
  context: CommandContext,
): Promise<void> {
  // Not asked for what would not be said.
  if (context.globals.quiet) return
  const { talk } = context
  await warnOfProtection(site, criteria, talk)
  await warnOfGuards(site, criteria, talk)
  const { userIds } = criteria.selection
  const ids = userIds && idsText(await countGivenIds(site, userIds, criteria))
  if (ids !== undefined) await talk.say(`warning: ${ids}`)
}

/**
 * As `warnOfUnmatched`, of what the administrator can set right for good: when users are about to be deleted, whatever
 * `--quiet` says.
 */
export async function warnBeforeDeletion(
  site: Site,
  criteria: Criteria,
  context: CommandContext,
): Promise<void> {
  // Who wants to hear it has heard it with the plan.
  if (!context.globals.quiet) return
  const talk = talkOf(context, { ...context.globals, quiet: false })
  await warnOfProtection(site, criteria, talk)
  await warnOfGuards(site, criteria, talk, 'recent')
}

/** Of one guard, or of all that are asked for. */
async function warnOfGuards(site: Site, { guards }: Criteria, talk: Talk, only?: GuardName): Promise<void> {
  const included = new Set<GuardName>(guards.include)
  if (guards.recentAfter === undefined) included.add('recent')
  for (const { guard, what, nobodyFor } of guardsWithout(site)) {
    if (nobodyFor === undefined || included.has(guard) || (only ?? guard) !== guard) continue
    await talk.say(
      `warning: nobody is kept for ${nobodyFor}: the user table has ${what.join(' and ')} (is it called otherwise? columns in the configuration file)`,
    )
  }
}

async function warnOfProtection(site: Site, { guards }: Criteria, talk: Talk): Promise<void> {
  const { protect = [] } = guards
  const nobody = protect.length > 0 ? await unmatchedProtection(site, protect) : []
  if (nobody.length > 0) await talk.say(`warning: on the protect list, but nobody here: ${someOf(nobody)}`)
}

function someOf(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN
  return [...names.slice(0, NAMES_SHOWN), ...(rest > 0 ? [`${shownNumber(rest)} more`] : [])].join(', ')
}

/** Undefined when each of them is a candidate. */
function idsText({ given, users, candidates }: GivenIds): string | undefined {
  const missing = given - users
  const others = users - candidates
  const parts = [
    ...(missing > 0 ? [`${shownNumber(missing)} ${missing === 1 ? 'does' : 'do'} not exist`] : []),
    ...(others > 0 ? [`${shownNumber(others)} ${others === 1 ? 'is' : 'are'} not selected`] : []),
  ]
  return parts.length === 0 ? undefined : `of ${counted(given, 'id')} given, ${parts.join(' and ')}`
}
