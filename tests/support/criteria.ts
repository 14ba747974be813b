import type { RuleSettings } from '../../src/site/rules.ts'
import { type Criteria, type GuardSettings, INCLUDABLE, type Selection } from '../../src/users/criteria.ts'

export const CUTOFF = '2020-01-01T00:00:00Z'

interface CriteriaParts {
  readonly selection?: Partial<Selection>
  readonly guards?: GuardSettings
  readonly rules?: RuleSettings
}

/** Everybody who has not logged in since 2020, with no grace period, unless the test says otherwise. */
export function criteria({ selection = {}, guards = {}, rules = {} }: CriteriaParts = {}): Criteria {
  return { selection: { cutoff: CUTOFF, ...selection }, guards, rules: [rules] }
}

/** All guards that can be switched off, switched off. */
export const NO_GUARDS: GuardSettings = { include: INCLUDABLE }
