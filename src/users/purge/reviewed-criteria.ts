import type { RuleSettings } from '../../site/rules.ts'
import type { Criteria, GuardSettings } from '../criteria.ts'
import type { PlanHeader } from './plan-header.ts'

/** Whom the configuration keeps now. */
export interface KeptNow extends Pick<GuardSettings, 'protect' | 'references'> {
  /** Tables and columns whose rows keep their users. */
  readonly keep: RuleSettings['keep']
}

/**
 * Returns the criteria that a reviewed plan is carried out by, which may keep more than it was made with: whoever has
 * come onto the protect list since is protected, and whatever is to be kept by now keeps its users.
 */
export function reviewedCriteria({ criteria }: Pick<PlanHeader, 'criteria'>, now: KeptNow): Criteria {
  const { selection, guards } = criteria
  const [chosen = {}, ...others] = criteria.rules
  return {
    selection,
    guards: {
      ...guards,
      protect: [...(guards.protect ?? []), ...(now.protect ?? [])],
      references: [...(guards.references ?? []), ...(now.references ?? [])],
    },
    rules: [chosen, { keep: now.keep }, ...others],
  }
}
