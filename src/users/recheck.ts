import { sql } from 'drizzle-orm'
import { withRecursive } from '../db/with-recursive.ts'
import type { Dependents } from '../site/dependents.ts'
import { inTransaction, type Site } from '../site/site.ts'
import { CANDIDATE, type Candidates, candidatesOf, guardCounts } from './candidates.ts'
import { type Criteria, withoutNamedUsers } from './criteria.ts'
import { type DependentRows, dependentRows, noMoreThan } from './dependent-rows.ts'
import { fingerprints } from './fingerprint.ts'
import type { KeptCounts } from './kept-counts.ts'

/** A user to delete; a reviewed one only as long as nothing has changed that was reviewed, and nothing has come. */
export interface PlannedUser {
  readonly key: string
  readonly reviewed?: Reviewed | undefined
}

/** What a review saw of a user. */
export interface Reviewed {
  /** As `fingerprints` makes it. */
  readonly fingerprint: string
  /** What would go with the user. */
  readonly rows: DependentRows
}

/** Users who are checked, and deleted, in one transaction. */
export type PlannedBatch = readonly PlannedUser[]

/** What has become of the users of a batch. */
export interface Checked {
  /** The keys of those who are as planned. */
  readonly unchanged: readonly string[]
  /** What keeps the others who are still candidates. */
  readonly kept: KeptCounts
  /** How many users those are. */
  readonly keptUsers: number
}

/** Returns the query that planned users are checked with. */
export function plannedCandidates(site: Site, criteria: Criteria): Candidates {
  // The batches hold the keys: the limit has been applied, and a long list of ids need not travel with each.
  return candidatesOf(site, { ...criteria, selection: withoutNamedUsers(criteria.selection) })
}

/** Returns who of the batch is still as planned, by what has been committed by now. */
export async function recheck(site: Site, candidates: Candidates, batch: PlannedBatch): Promise<Checked> {
  const keys = batch.map(({ key }) => key)
  const { deletable, ...others } = await check(site, candidates, keys)
  return { unchanged: await unchangedOf(site, candidates, batch, deletable), ...others }
}

/** Returns the keys of the planned users who could be deleted now. */
export async function unchangedKeys(
  site: Site,
  criteria: Criteria,
  batches: AsyncIterable<PlannedBatch>,
): Promise<string[]> {
  const candidates = plannedCandidates(site, criteria)
  const unchanged: string[] = []
  for await (const batch of batches) {
    const checked = await inTransaction(site, 'read', (here) => recheck(here, candidates, batch))
    unchanged.push(...checked.unchanged)
  }
  return unchanged
}

interface Divided extends Omit<Checked, 'unchanged'> {
  /** The keys of those whom no guard keeps. */
  readonly deletable: readonly string[]
}

/**
 * Asks the same question as the plan, about the users at hand, with what has been committed by now. The answer comes in
 * one row: to read one for each user takes longer than to find them.
 */
async function check(site: Site, candidates: Candidates, keys: readonly string[]): Promise<Divided> {
  const { dialect } = site.db
  const { name, type } = site.shape.userKey
  const among = dialect.keyAmong(sql`${site.tables.users.key}`, type, keys)
  const kept = guardCounts(candidates)
  const deletable = dialect.jsonList(
    sql`cast(${sql.identifier(name)} as text)`,
    sql`not (${candidates.isKept})`,
  )
  const [row = {}] = await site.db.rows<Record<string, unknown>>(sql`
    ${withRecursive(candidates.definitions({ and: among }))}
    select ${deletable} as deletable, count(*) as matched${kept.columns} from ${CANDIDATE}`)
  const free: string[] = JSON.parse(String(row.deletable))
  return { deletable: free, kept: kept.read(row), keptUsers: Number(row.matched) - free.length }
}

/** Returns what there is to review of each user, by key. Whoever is not there has none. */
export async function reviewedBy(
  site: Site,
  dependents: Dependents,
  keys: readonly string[],
): Promise<Map<string, Reviewed>> {
  const found = await fingerprints(site, keys)
  const rows = await dependentRows(site, dependents, keys)
  return new Map(
    [...found].map(([key, fingerprint]) => [key, { fingerprint, rows: rows.get(key) ?? new Map() }]),
  )
}

/** Returns those keys whose user is as reviewed; all of them when nobody was. */
async function unchangedOf(
  site: Site,
  { dependents }: Candidates,
  batch: PlannedBatch,
  keys: readonly string[],
): Promise<readonly string[]> {
  const planned = new Map(batch.map(({ key, reviewed }) => [key, reviewed]))
  if (!keys.some((key) => planned.get(key) !== undefined)) return keys
  const now = await reviewedBy(site, dependents, keys)
  return keys.filter((key) => isAsReviewed(now.get(key), planned.get(key)))
}

function isAsReviewed(now: Reviewed | undefined, planned: Reviewed | undefined): boolean {
  if (!now || !planned) return false
  return now.fingerprint === planned.fingerprint && noMoreThan(now.rows, planned.rows)
}
