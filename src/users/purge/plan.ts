import type { Trigger } from '../../db/dialect.ts'
import { isRefusal } from '../../db/errors.ts'
import { inSavepoint } from '../../db/savepoint.ts'
import { UserError } from '../../errors.ts'
import { dependentsOf, type Edge, edgeLabel, refuseIrretrievable } from '../../site/dependents.ts'
import { type DeclaredEdge, declaredReferences, looseReferences } from '../../site/loose-references.ts'
import { refuseMissingReferences } from '../../site/missing-references.ts'
import type { Rule } from '../../site/register.ts'
import type { RuleSettings } from '../../site/rules.ts'
import { inTransaction, type Site } from '../../site/site.ts'
import { archivedTables } from '../archive/header.ts'
import { candidatesOf } from '../candidates.ts'
import type { Criteria } from '../criteria.ts'
import { emptyTables } from '../empty-tables.ts'
import { withNamedUsers } from '../identify.ts'
import type { KeptCounts } from '../kept-counts.ts'
import { keySlices, keysOf } from '../key-slices.ts'
import { type PlannedBatch, reviewedBy } from '../recheck.ts'
import { type MissingIndex, missingIndexes } from './missing-indexes.ts'
import { nulledColumns } from './nulled-columns.ts'
import { countPlan } from './plan-query.ts'

/** A table whose rows keep candidates (the guard `content`). */
export interface KeepingTable {
  /** `blog_post.author_id`. */
  readonly edge: string
  readonly users: number
  /** `blog_post.author_id`: what a rule for it names. */
  readonly column: string
  /** What would change it, the gentlest first. Empty when nothing can. */
  readonly remedies: readonly Remedy[]
}

/** A rule that lets the rows go; `undeclare`: to leave the column out of the references in the configuration file. */
export type Remedy = Exclude<Rule, 'keep'> | 'undeclare'

export interface PurgePlan {
  readonly since: string
  readonly matched: number
  readonly toDelete: number
  /** Users of a reviewed plan who are no longer to be deleted. */
  readonly changed: number
  readonly kept: KeptCounts
  /** Table → rows to delete, the user table included; that one only when the others were not counted. */
  readonly tables: Readonly<Record<string, number>>
  /** `table.column` → rows that will be left with NULL: those that are deleted as well do not count. */
  readonly nulled: Readonly<Record<string, number>>
  readonly keeping: readonly KeepingTable[]
  readonly missingIndexes: readonly MissingIndex[]
  /** Triggers on tables that lose rows or references: what else they change, no plan and no archive has. */
  readonly triggers: readonly Trigger[]
  /** `shop_invoice.user_id`: columns that look like references to a user, and nobody is kept for their sake. */
  readonly looseReferences: readonly string[]
  /** All users of the site, for the circuit breaker. */
  readonly users: number
  /** The keys of the users to delete, a batch in each text; empty unless asked for. */
  readonly batches: readonly string[]
  /** What it was made from, where the database can tell: see `Dialect.changeMark`. */
  readonly changeMark?: string | undefined
}

export interface PlanOptions {
  /** Tells whom as well, in batches of that size. */
  readonly batchSize?: number | undefined
  /** False: without the rows of tables other than the users', nor what is missing there. To count them takes a while. */
  readonly countsRows?: boolean
}

/** Returns what a purge would do, counted in one snapshot. */
export async function planPurge(site: Site, asked: Criteria, options: PlanOptions = {}): Promise<PurgePlan> {
  return planIdentified(site, await withNamedUsers(site, asked), options)
}

/** As `planPurge`, where the users named are keys of the database already: so many of them are not read once more. */
export function planIdentified(
  site: Site,
  criteria: Criteria,
  options: PlanOptions = {},
): Promise<PurgePlan> {
  return inTransaction(site, 'read', (here) => planIn(here, criteria, options))
}

/** As `planPurge`; hands out who is to be deleted, each with what there is to review, of the same snapshot. */
export async function freezePlan(
  site: Site,
  asked: Criteria,
  batchSize: number,
  begin: (plan: PurgePlan) => Promise<(batch: PlannedBatch) => Promise<void>>,
): Promise<PurgePlan> {
  const criteria = await withNamedUsers(site, asked)
  return inTransaction(site, 'read', async (here) => {
    const plan = await planIn(here, criteria, { batchSize })
    const dependents = dependentsOf(here.shape, criteria.rules)
    const take = await begin(plan)
    for (const batch of plannedBatches(plan)) {
      const keys = batch.map(({ key }) => key)
      const found = await reviewedBy(here, dependents, keys)
      await take(keys.map((key) => ({ key, reviewed: found.get(key) })))
    }
    return plan
  })
}

/** Yields the batches that the plan holds. */
export function* plannedBatches({ batches }: PurgePlan): Generator<PlannedBatch> {
  for (const batch of batches) yield keysOf(batch).map((key) => ({ key }))
}

async function planIn(
  site: Site,
  criteria: Criteria,
  { batchSize, countsRows = true }: PlanOptions,
): Promise<PurgePlan> {
  const dependents = dependentsOf(site.shape, criteria.rules)
  refuseIrretrievable(dependents)
  const empty = await emptyTables(
    site.db,
    dependents.edges.map((edge) => edge.table),
  )
  refuseMissingReferences(dependents, empty)
  const candidates = candidatesOf(site, criteria, empty)
  await site.db.dialect.workInMemory(site.db)
  const declared = declaredReferences(site, criteria.guards.references)
  const nulled = nulledColumns(candidates, empty)
  const counts = await countPlan(site, candidates, criteria, {
    tables: dependents.order
      .flat()
      .filter((table) => !empty.has(table) && (countsRows || table === dependents.users)),
    nulled: countsRows ? nulled : [],
    keys: batchSize !== undefined,
  })
  const { users, matched } = counts
  return {
    since: criteria.selection.cutoff,
    matched,
    toDelete: counts.rowsOf(dependents.users),
    changed: 0,
    kept: counts.kept,
    tables: positive(dependents.order.flat().map((table) => [table.label, counts.rowsOf(table)])),
    nulled: positive(nulled.map((columns) => [columns.label, counts.nulledIn(columns)])),
    keeping: candidates.flags.flatMap((flag) => {
      const { edge } = flag
      const kept = counts.flagged(flag)
      return edge && kept > 0 ? [keepingTable(edge, kept, site, criteria)] : []
    }),
    missingIndexes: countsRows
      ? await missingIndexes(site.db, [...dependents.edges, ...declared], counts.rowsOf)
      : [],
    triggers: await site.db.dialect.triggers(site.db, archivedTables(dependents)),
    looseReferences: countsRows ? await filledReferences(site, declared) : [],
    users,
    batches: keySlices(counts.keys, batchSize ?? Number.POSITIVE_INFINITY),
    changeMark: await site.db.dialect.changeMark(site.db),
  }
}

/** Of empty tables there is nothing to say, and those that may not be read are nobody's business here. */
async function filledReferences(site: Site, declared: readonly DeclaredEdge[]): Promise<string[]> {
  const { db } = site
  const filled: string[] = []
  for (const { table, column } of looseReferences(site, declared)) {
    const isEmpty = await inSavepoint(db, () => emptyTables(db, [table])).then(
      ({ size }) => size > 0,
      trueIfDenied,
    )
    if (!isEmpty) filled.push(`${table.label}.${column}`)
  }
  return filled.sort()
}

/** Returns true for the refusal to read a table. Throws every other error. */
function trueIfDenied(error: unknown): true {
  if (isRefusal(error)) return true
  throw error
}

function keepingTable(edge: Edge, users: number, site: Site, criteria: Criteria): KeepingTable {
  const column = `${edge.table.label}.${edge.clears[0]}`
  return { edge: edgeLabel(edge), users, column, remedies: remediesFor(edge, column, site, criteria) }
}

/** The rows may be somebody else's, who is to stay: where the reference can go instead, it is offered first. */
function remediesFor(edge: Edge, column: string, site: Site, criteria: Criteria): Remedy[] {
  if ('declared' in edge) return ['undeclare']
  const setNull = edge.nullable && isPossible(site, criteria, { setNull: [column] })
  const cascade = isPossible(site, criteria, { cascade: [column] })
  return [...(setNull ? ['set-null' as const] : []), ...(cascade ? ['delete' as const] : [])]
}

/** True when the rule would not be refused: it may reach other users, or tables that could not be put back. */
function isPossible({ shape }: Site, { rules }: Criteria, rule: RuleSettings): boolean {
  try {
    refuseIrretrievable(dependentsOf(shape, [rule, ...rules]))
    return true
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
}

function positive(entries: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries(entries.filter(([, number]) => number > 0))
}
