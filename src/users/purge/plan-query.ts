import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../../db/catalog.ts'
import { columnList, ownName, quotedString, tableName } from '../../db/identifiers.ts'
import { withRecursive } from '../../db/with-recursive.ts'
import type { Relations } from '../../site/relations.ts'
import type { Site } from '../../site/site.ts'
import { CANDIDATE, type Candidates, type Flag, type GuardCounts, guardCounts } from '../candidates.ts'
import type { Criteria } from '../criteria.ts'
import type { KeptCounts } from '../kept-counts.ts'
import { keyList } from '../key-slices.ts'
import { losesThrough, type NulledColumns } from './nulled-columns.ts'

/** What is to be counted of a plan. */
export interface Counted {
  /** Tables that lose rows, the user table among them. */
  readonly tables: readonly Table[]
  /** Columns through which references are set to NULL. */
  readonly nulled: readonly NulledColumns[]
  /** Who is to be deleted as well. */
  readonly keys: boolean
}

/** The numbers of a plan; 0 for what was not counted. */
export interface PlanCounts {
  /** All users of the site. */
  readonly users: number
  readonly matched: number
  readonly kept: KeptCounts
  /** Candidates whom the table of a flag keeps. */
  flagged(flag: Flag): number
  rowsOf(table: Table): number
  nulledIn(columns: NulledColumns): number
  /** Whom the plan deletes, for `keySlices`; null for nobody, or when not asked. */
  readonly keys: string | null
}

/** The counts of the candidates. */
const COUNTED = ownName('counted')

/** Rows of the answer, by what they tell. */
const USERS = 'users'
const MATCHED = 'matched'
const KEYS = 'keys'
const tableLabel = ({ label }: Table) => `table:${label}`
const nulledLabel = ({ label }: NulledColumns) => `nulled:${label}`

/** Returns the numbers of a plan, counted in one statement: whatever else happens, they fit each other. */
export async function countPlan(
  site: Site,
  candidates: Candidates,
  criteria: Criteria,
  counted: Counted,
): Promise<PlanCounts> {
  const kept = guardCounts(candidates)
  const rows = await site.db.rows<{ label: string; value: string | null }>(
    planQuery(site, candidates, criteria, counted, kept),
  )
  const values = new Map(rows.map(({ label, value }) => [label, value]))
  const count = (label: string) => Number(values.get(label) ?? 0)
  return {
    users: count(USERS),
    matched: count(MATCHED),
    kept: kept.read(Object.fromEntries(values)),
    flagged: ({ name }) => count(name),
    rowsOf: (table) => count(tableLabel(table)),
    nulledIn: (columns) => count(nulledLabel(columns)),
    keys: values.get(KEYS) ?? null,
  }
}

function planQuery(
  site: Site,
  candidates: Candidates,
  criteria: Criteria,
  { tables, nulled, keys }: Counted,
  kept: GuardCounts,
): SQL {
  const { doomed } = candidates
  const keeping = candidates.flags.filter(({ edge }) => edge !== undefined)
  const counts: [string, SQL][] = [
    [USERS, sql`select count(*) from ${site.tables.users}`],
    ...[MATCHED, ...kept.names, ...keeping.map(({ name }) => name)].map((name): [string, SQL] => [
      name,
      sql`select ${sql.identifier(name)} from ${COUNTED}`,
    ]),
    ...tables.map((table): [string, SQL] => [
      tableLabel(table),
      sql`select count(*) from ${doomed.nameOf(table)}`,
    ]),
    ...nulled.map((columns): [string, SQL] => [
      nulledLabel(columns),
      sql`select count(*) from ${tableName(columns.table)} where ${losesThrough(doomed, columns)}`,
    ]),
  ]
  const parts = counts.map(
    ([label, query]) =>
      sql`select ${sql.raw(quotedString(label))} as label, cast((${query}) as text) as value`,
  )
  if (keys) parts.push(keysInOrder(site, doomed))
  const definitions = [
    ...candidates.definitions(),
    countedCandidates(kept, keeping),
    doomedUsers(candidates, criteria),
    ...doomed.definitions(tables),
  ]
  return sql`${withRecursive(definitions)}
    ${sql.join(parts, sql` union all `)}`
}

function countedCandidates(kept: GuardCounts, keeping: readonly Flag[]): SQL {
  const tables = keeping.map(({ name }) => {
    const flag = sql.identifier(name)
    return sql`, count(*) filter (where ${flag}) as ${flag}`
  })
  return sql`${COUNTED} as materialized (
    select count(*) as ${sql.identifier(MATCHED)}${kept.columns}${sql.join(tables)} from ${CANDIDATE})`
}

function doomedUsers({ dependents: { users }, doomed, isKept }: Candidates, { selection }: Criteria): SQL {
  const columns = columnList(doomed.columnsOf(users))
  const cut =
    selection.limit === undefined
      ? sql``
      : sql`order by ${columnList(doomed.identityOf(users))} limit ${sql.raw(String(selection.limit))}`
  // PostgreSQL expects each flag of every other user, so that of several hardly anybody would be left, whose rows it would
  // look up one by one. Of what coalesce returns it expects half.
  return sql`${doomed.nameOf(users)} as materialized (
    select ${columns} from ${CANDIDATE} where not coalesce(${isKept}, true) ${cut})`
}

/** All keys in one text: the database would take ten times as long to part them into batches. */
function keysInOrder({ db, shape }: Site, doomed: Relations): SQL {
  const key = sql`${sql.identifier(shape.userKey.name)}`
  return sql`select ${sql.raw(quotedString(KEYS))}, ${keyList(db.dialect, key)}
    from (select ${key} from ${doomed.nameOf(shape.users)} order by ${key}) sorted`
}
