import { sql } from 'drizzle-orm'
import { columnList, ownName } from '../db/identifiers.ts'
import { withRecursive } from '../db/with-recursive.ts'
import { type Dependents, type Edge, edgeLabel } from '../site/dependents.ts'
import { ABOVE, OWNER, Relations } from '../site/relations.ts'
import type { Site } from '../site/site.ts'
import { ADDRESS_USER } from '../site/site-names.ts'
import { countUp } from '../values/counts.ts'
import { emptyTables } from './empty-tables.ts'

const COUNTED = ownName('counted')

/** `blog_post.author_id` → how many rows would go with a user, or lose their reference, because of it. */
export type DependentRows = ReadonlyMap<string, number>

/**
 * Returns how many rows would go with each user, or lose a reference, by the user's key; the user's own row and address
 * rows, of which there are fingerprints, do not count. Who has none is not in it.
 */
export async function dependentRows(
  { db, shape, tables }: Site,
  dependents: Dependents,
  keys: readonly string[],
): Promise<Map<string, DependentRows>> {
  const isOfAddresses = ({ table, references, columns }: Edge) =>
    table === shape.emailAddresses && references === shape.users && columns.join() === ADDRESS_USER
  const losing = dependents.edges.filter((edge) => edge.rule !== 'keep' && !isOfAddresses(edge))
  const empty = await emptyTables(
    db,
    losing.map((edge) => edge.table),
  )
  const edges = losing.filter((edge) => !empty.has(edge.table))
  const found = new Map<string, Map<string, number>>()
  if (edges.length === 0) return found
  const owned = new Relations(dependents, db.dialect, { prefix: 'owned', owner: true })
  const users = owned.nameOf(shape.users)
  const owner = sql.identifier(owned.ownerKey.name)
  const seed = sql`${users} as (select ${owner} as ${OWNER}, ${columnList(owned.columnsOf(shape.users))}
    from ${tables.users} where ${db.dialect.keyAmong(sql`${tables.users.key}`, shape.userKey.type, keys)})`
  const counts = edges.map(
    (edge, i) => sql`select ${sql.raw(String(i))} as edge, ${ABOVE}.${OWNER}, count(*) as rows
      ${owned.reachedThrough(edge)} group by ${ABOVE}.${OWNER}`,
  )
  const labels = edges.map(edgeLabel)
  const definitions = [seed, ...owned.definitions(edges.map((edge) => edge.references))]
  const counted = await db.rows<{ user: string; edge: number; rows: string }>(sql`
    ${withRecursive([...definitions, sql`${COUNTED} as (${sql.join(counts, sql` union all `)})`])}
    select cast(${users}.${sql.identifier(shape.userKey.name)} as text) as "user", edge, rows
    from ${COUNTED} join ${users} on ${users}.${OWNER} = ${COUNTED}.${OWNER}`)
  for (const { user, edge, rows } of counted) {
    const ofUser = found.get(user) ?? new Map<string, number>()
    countUp(ofUser, labels[edge] ?? '', Number(rows))
    found.set(user, ofUser)
  }
  return found
}

/** True when there are no more rows through any edge than there were: fewer are no loss. */
export function noMoreThan(now: DependentRows, before: DependentRows): boolean {
  return [...now].every(([edge, rows]) => rows <= (before.get(edge) ?? 0))
}
