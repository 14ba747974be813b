import { dependentsOf, edgeLabel } from '../../site/dependents.ts'
import type { RuleSettings } from '../../site/rules.ts'
import type { Site } from '../../site/site.ts'
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

/**
 * Returns the criteria with which whoever has got rows since the review is kept, where they are in a table of which the
 * plan had none: nobody has agreed to their loss.
 */
export function keepingUnreviewed(
  { shape }: Site,
  criteria: Criteria,
  { tables, nulled }: PlanHeader['counts'],
): Criteria {
  const losing = dependentsOf(shape, criteria.rules).order.flat()
  const unreviewed = shape.catalog.foreignKeys.filter(
    (key) => losing.includes(key.references) && !tables[key.table.label] && !nulled[edgeLabel(key)],
  )
  const keep = unreviewed.flatMap(({ table, columns }) => columns.map((column) => `${table.label}.${column}`))
  // Before all others: the first rule for a column counts.
  return { ...criteria, rules: [{ keep }, ...criteria.rules] }
}
