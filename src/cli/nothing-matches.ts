import type { Site } from '../site/site.ts'
import type { Criteria } from '../users/criteria.ts'
import { explainNothing } from '../users/list.ts'
import type { Talk } from './talk.ts'

/** Says why nobody is selected: "nothing happens" is the complaint that no log answers. */
export async function sayNothingMatches(site: Site, criteria: Criteria, talk: Talk): Promise<void> {
  const reasons = await explainNothing(site, criteria)
  await talk.say('no user matches:', ...reasons.map((reason) => `  ${reason}`))
}
