import { type Instant, instantOf } from '../../django/datetime.ts'
import { UserError } from '../../errors.ts'
import { dependentsOf } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import { type SiteDatabase, siteDatabase } from '../../site/site-database.ts'
import { placeOf, shownPlace, type TablePlace } from '../../site/table-place.ts'
import { type Criteria, withoutNamedUsers } from '../criteria.ts'
import type { PurgePlan } from './plan.ts'

export const PLAN_FORMAT = 1

/** The first line of a plan file; each further line is a user: `["key","fingerprint",{"table.column":rows}]`. */
export interface PlanHeader {
  readonly usermgmt: string
  readonly plan: number
  readonly database: SiteDatabase
  /** By their labels, which are those in the rules: the tables that hang on users, where there are schemas. */
  readonly places?: Readonly<Record<string, TablePlace>> | undefined
  readonly made: Instant
  /** Guards and rules as they were; the selection without the users named, for the lines are these. */
  readonly criteria: Criteria
  readonly counts: Pick<PurgePlan, 'since' | 'matched' | 'toDelete' | 'kept' | 'tables' | 'nulled'>
}

/** Returns the header of a plan that is made now. */
export function planHeader(
  site: Site,
  { selection, guards, rules }: Criteria,
  { since, matched, toDelete, kept, tables, nulled }: PurgePlan,
  run: { readonly version: string; readonly now: Date },
): PlanHeader {
  return {
    usermgmt: run.version,
    plan: PLAN_FORMAT,
    database: siteDatabase(site),
    places: placesOf(site, rules),
    made: instantOf(run.now),
    criteria: { selection: withoutNamedUsers(selection), guards, rules },
    counts: { since, matched, toDelete, kept, tables, nulled },
  }
}

/**
 * Throws a UserError (refused) when a table of the plan is another one by now: what was reviewed of the one would be done
 * to the other.
 */
export function refuseOtherTables({ shape }: Site, { places = {} }: PlanHeader): void {
  for (const [label, place] of Object.entries(places)) {
    const table = shape.catalog.tables.get(label)
    const here = table && placeOf(table)
    if (!here || shownPlace(here) === shownPlace(place)) continue
    throw new UserError(
      `the plan was made when ${label} was ${shownPlace(place)}; now it is ${shownPlace(here)}`,
      {
        kind: 'refused',
        hint: 'use the search_path that it was made with, or make a new plan with --plan-out',
      },
    )
  }
}

function placesOf({ shape }: Site, rules: Criteria['rules']): Record<string, TablePlace> | undefined {
  const tables = dependentsOf(shape, rules).edges.map((edge) => edge.table)
  const places = tables.flatMap((table): [string, TablePlace][] => {
    const place = placeOf(table)
    return place ? [[table.label, place]] : []
  })
  return places.length > 0 ? Object.fromEntries(places) : undefined
}
