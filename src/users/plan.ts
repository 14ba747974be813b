import { type SQL, sql } from 'drizzle-orm'
import { columnList, tableName } from '../db/identifiers.ts'
import { type Edge, edgeLabel } from '../site/dependents.ts'
import type { Relations } from '../site/relations.ts'
import type { Site } from '../site/site.ts'
import { anyFlag, type Candidates, candidatesOf, losesReference, nullingEdges } from './candidates.ts'
import type { Criteria, GuardName } from './criteria.ts'
import { withNamedUsers } from './identify.ts'

/** A table whose rows keep candidates (the guard `content`). */
export interface KeepingTable {
  /** `blog_post.author_id`. */
  readonly edge: string
  readonly users: number
  /** The option that would change it: `--cascade blog_post.author_id`. Undefined when nothing can. */
  readonly option: string | undefined
}

/** A referencing column without an index, and the statement that makes one. */
export interface MissingIndex {
  readonly edge: string
  readonly statement: string
}

export interface PurgePlan {
  readonly since: string
  readonly matched: number
  readonly toDelete: number
  /** Guard → candidates it keeps. A user whom two guards keep counts for both. */
  readonly kept: Readonly<Partial<Record<GuardName, number>>>
  /** Table → rows to delete, the user table included. */
  readonly tables: Readonly<Record<string, number>>
  /** `table.column` → rows to set to NULL. */
  readonly nulled: Readonly<Record<string, number>>
  readonly keeping: readonly KeepingTable[]
  readonly missingIndexes: readonly MissingIndex[]
  /** All users of the site, for the circuit breaker. */
  readonly users: number
  /** The keys of the users to delete, a batch in each text; empty unless asked for. */
  readonly batches: readonly string[]
}

/** Parts the keys of a batch. No key holds it: it is a control character. */
export const KEY_SEPARATOR = '\u001f'

/** Returns what a purge would do, counted in one snapshot. With a batch size also whom, in batches of that size. */
export async function planPurge(site: Site, asked: Criteria, batchSize?: number): Promise<PurgePlan> {
  const criteria = await withNamedUsers(site, asked)
  const candidates = candidatesOf(site, criteria)
  const { dependents } = candidates
  const rows = await site.db.transaction('read', (tx) =>
    tx.rows<{ label: string; value: string }>(planQuery(site, candidates, criteria, batchSize)),
  )
  const counts = new Map(
    rows.filter((row) => row.label !== 'keys').map((row) => [row.label, Number(row.value)]),
  )
  const count = (label: string) => counts.get(label) ?? 0
  return {
    since: criteria.selection.cutoff,
    matched: count('matched'),
    toDelete: count(`table:${dependents.users.label}`),
    kept: keptByGuard(candidates, count),
    tables: positive(dependents.order.flat().map((table) => [table.label, count(`table:${table.label}`)])),
    nulled: positive(
      nullingEdges(candidates).map((edge) => [edgeLabel(edge), count(`nulled:${edgeLabel(edge)}`)]),
    ),
    keeping: candidates.flags.flatMap(({ edge, name }) =>
      edge && count(name) > 0
        ? [{ edge: edgeLabel(edge), users: count(name), option: optionFor(edge, site) }]
        : [],
    ),
    missingIndexes: dependents.edges.filter((edge) => !edge.indexed).map(missingIndex),
    users: count('users'),
    batches: rows.filter((row) => row.label === 'keys').map((row) => row.value),
  }
}

function planQuery(
  site: Site,
  candidates: Candidates,
  criteria: Criteria,
  batchSize: number | undefined,
): SQL {
  const { dependents, doomed, flags } = candidates
  const tables = dependents.order.flat()
  const counts: [string, SQL][] = [
    ['matched', sql`select count(*) from candidate`],
    ['users', sql`select count(*) from ${site.tables.users}`],
    ['content', sql`select count(*) from candidate where ${anyFlag(candidates, 'content')}`],
    ...flags.map(({ name }): [string, SQL] => [
      name,
      sql`select count(*) from candidate where ${sql.identifier(name)}`,
    ]),
    ...tables.map((table): [string, SQL] => [
      `table:${table.label}`,
      sql`select count(*) from ${doomed.nameOf(table)}`,
    ]),
    ...nullingEdges(candidates).map((edge): [string, SQL] => [
      `nulled:${edgeLabel(edge)}`,
      sql`select count(*) from ${tableName(edge.table)} where ${losesReference(doomed, edge)}`,
    ]),
  ]
  const parts = counts.map(
    ([label, query]) => sql`select ${sql.raw(quoted(label))} as label, cast((${query}) as text) as value`,
  )
  if (batchSize !== undefined) parts.push(keyBatches(site, doomed, batchSize))
  return sql`with recursive ${sql.join([...candidates.definitions(), doomedUsers(candidates, criteria), ...doomed.definitions(tables)], sql`, `)}
    ${sql.join(parts, sql` union all `)}`
}

function doomedUsers({ dependents: { users }, doomed, isKept }: Candidates, { selection }: Criteria): SQL {
  const columns = columnList(doomed.columnsOf(users))
  const cut =
    selection.limit === undefined
      ? sql``
      : sql`order by ${columnList(doomed.identityOf(users))} limit ${sql.raw(String(selection.limit))}`
  return sql`${doomed.nameOf(users)} as materialized (select ${columns} from candidate where not (${isKept}) ${cut})`
}

function keyBatches({ db, shape }: Site, doomed: Relations, size: number): SQL {
  const key = sql`${sql.identifier(shape.userKey.name)}`
  return sql`select 'keys', ${db.dialect.joined(sql`cast(${key} as text)`, KEY_SEPARATOR)}
    from (select ${key}, (row_number() over (order by ${key}) - 1) / ${sql.raw(String(size))} as batch
      from ${doomed.nameOf(shape.users)}) numbered group by batch`
}

function keptByGuard({ flags }: Candidates, count: (label: string) => number): PurgePlan['kept'] {
  const guards = flags.map(({ guard, name }): [string, number] => [
    guard,
    count(guard === 'content' ? 'content' : name),
  ])
  return positive(guards)
}

function optionFor(edge: Edge, { shape }: Site): string | undefined {
  const column = `${edge.table.label}.${edge.columns[0]}`
  if (edge.table !== shape.users) return `--cascade ${column}`
  return edge.nullable ? `--set-null ${column}` : undefined
}

function missingIndex(edge: Edge): MissingIndex {
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
  const table = [edge.table.schema, edge.table.name]
    .flatMap((name) => (name === undefined ? [] : quote(name)))
    .join('.')
  return {
    edge: edgeLabel(edge),
    statement: `CREATE INDEX ${quote(`${edge.table.name}_${edge.columns.join('_')}`)} ON ${table} (${edge.columns.map(quote).join(', ')});`,
  }
}

function positive(entries: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries(entries.filter(([, number]) => number > 0))
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
