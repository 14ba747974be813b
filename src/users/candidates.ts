import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import { refersTo } from '../db/foreign-keys.ts'
import { columnList, ownName, tableName } from '../db/identifiers.ts'
import { type Dependents, dependentsOf, type Edge } from '../site/dependents.ts'
import { declaredReferences } from '../site/loose-references.ts'
import { ABOVE, HERE, OWNER, Relations } from '../site/relations.ts'
import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from './criteria.ts'
import { hasRows } from './empty-tables.ts'
import { guardConditions } from './guards.ts'
import type { KeptCounts } from './kept-counts.ts'
import { refersToUser } from './refers-to-user.ts'
import { selected } from './select.ts'

/** The candidates, as a statement names them. */
export const CANDIDATE = ownName('candidate')
/** The candidates before the guards that other tables decide. */
const FOUND = ownName('found')

/** A column of `candidate` that is true when the guard keeps the user; for `content`, through which edge. */
export interface Flag {
  readonly guard: GuardName
  readonly name: string
  readonly edge?: Edge
}

/** Who is a candidate and what keeps them: common table expressions, the last of them named `candidate`. */
export interface Candidates {
  readonly dependents: Dependents
  /** The rows that a deletion reaches; the statement defines the seed `doomed.nameOf(users)`. */
  readonly doomed: Relations
  readonly flags: readonly Flag[]
  /** True when some guard keeps the candidate. */
  readonly isKept: SQL
  /** Returns the expressions; `and` narrows the selection, `page` orders and cuts it, `columns` of users are read along. */
  definitions(narrowed?: {
    readonly and?: SQL | undefined
    readonly page?: SQL | undefined
    readonly columns?: readonly SQL[] | undefined
  }): SQL[]
}

/**
 * Returns the one query that listing, planning and deleting share. Of `empty` tables it is known that they have no row.
 * Throws a UserError for a rule or a condition that this site cannot have.
 */
export function candidatesOf(
  site: Site,
  criteria: Criteria,
  empty: ReadonlySet<Table> = new Set(),
): Candidates {
  const { shape, db } = site
  const dependents = dependentsOf(shape, criteria.rules)
  const doomed = new Relations(dependents, db.dialect, { prefix: 'doomed' })
  const owned = new Relations(dependents, db.dialect, { prefix: 'owned', owner: true })
  const key = sql`${sql.identifier(owned.ownerKey.name)}`

  const simple = guardConditions(site, criteria).map(({ guard, ...conditions }) => ({
    flag: { guard, name: `kept_${guard.replace('-', '_')}` },
    ...conditions,
  }))
  const { ignoresContent, references } = criteria.guards
  const kept = dependents.edges.filter((edge) => edge.rule === 'keep')
  const declared = declaredReferences(site, references).filter((edge) => !kept.some(isSameReference(edge)))
  const keeping = [...kept, ...declared]
    .filter((edge) => !ignoresContent && !empty.has(edge.table))
    .map((edge, i) => ({ flag: { guard: 'content' as const, name: `kept_content_${i}`, edge }, edge }))
  const direct = keeping.filter(({ edge }) => edge.references === shape.users)
  const deep = keeping.filter(({ edge }) => edge.references !== shape.users)
  const found = [
    ...simple,
    ...direct.map(({ flag, edge }) => ({
      flag,
      condition: isReferredTo(site, edge),
      ofEverybody: undefined,
    })),
  ]
  const flags: Flag[] = [...found, ...deep].map(({ flag }) => flag)

  return {
    dependents,
    doomed,
    flags,
    isKept:
      flags.length === 0
        ? sql`false`
        : sql.join(
            flags.map((flag) => sql`${sql.identifier(flag.name)}`),
            sql` or `,
          ),
    definitions({ and, page, columns: further = [] } = {}) {
      const ofEverybody = and === undefined && page === undefined
      const own = columnList(doomed.columnsOf(shape.users), sql`${site.tables.users}`)
      const columns = sql.join([own, ...further], sql`, `)
      const flagged = found.map(({ flag, ...conditions }) => {
        const condition = (ofEverybody && conditions.ofEverybody) || conditions.condition
        return sql`, ${condition} as ${sql.identifier(flag.name)}`
      })
      const rows = sql`select ${columns}${sql.join(flagged)} from ${site.tables.users}
        where ${selected(site, criteria.selection)}${and ? sql` and ${and}` : sql``} ${page ?? sql``}`
      if (deep.length === 0) return [sql`${CANDIDATE} as materialized (${rows})`]
      const through = deep.map(
        ({ flag, edge }) => sql`, ${key} in (${ownersBehind(owned, edge)}) as ${sql.identifier(flag.name)}`,
      )
      return [
        sql`${FOUND} as materialized (${rows})`,
        sql`${owned.nameOf(shape.users)} as (select ${key} as ${OWNER}, ${FOUND}.* from ${FOUND})`,
        ...owned.definitions(deep.map(({ edge }) => edge.references)),
        sql`${CANDIDATE} as materialized (select ${FOUND}.*${sql.join(through)} from ${FOUND})`,
      ]
    },
  }
}

function isSameReference(one: Edge): (other: Edge) => boolean {
  return ({ table, references, columns }) =>
    table === one.table && references === one.references && columns.join() === one.columns.join()
}

/** Some row of the edge's table refers to the user. Whoever refers to their own row is not kept by that. */
function isReferredTo(site: Site, edge: Edge): SQL {
  const isSelfReference = edge.table === site.shape.users
  const where = isSelfReference ? sql`not (${refersTo(edge, HERE, HERE)})` : undefined
  const rows = { from: sql`${tableName(edge.table)} ${HERE}`, name: HERE, where }
  // That the table is empty is found once.
  return sql`(${hasRows(edge.table)} and ${refersToUser(site, edge, rows)})`
}

function ownersBehind(owned: Relations, edge: Edge): SQL {
  const { users } = owned.dependents
  const isOther =
    edge.table === users
      ? sql` where ${HERE}.${sql.identifier(owned.ownerKey.name)} <> ${ABOVE}.${OWNER}`
      : sql``
  return sql`select ${ABOVE}.${OWNER} ${owned.reachedThrough(edge)}${isOther}`
}

/** Returns the condition on `candidate` that the guard keeps the user. */
export function anyFlag({ flags }: Candidates, guard: GuardName): SQL {
  const names = flags.filter((flag) => flag.guard === guard).map(({ name }) => sql`${sql.identifier(name)}`)
  return names.length === 0 ? sql`false` : sql.join(names, sql` or `)
}

/** How many candidates each guard keeps, where a statement counts them. */
export interface GuardCounts {
  readonly names: readonly string[]
  /** To select after others. */
  readonly columns: SQL
  /** Reads a row that has them. */
  read(row: Readonly<Record<string, unknown>>): KeptCounts
}

/** Returns the columns that count whom each guard keeps. */
export function guardCounts(candidates: Candidates): GuardCounts {
  const guards = [...new Set(candidates.flags.map((flag) => flag.guard))]
  const name = (guard: GuardName) => `guard_${guards.indexOf(guard)}`
  const columns = guards.map(
    (guard) => sql`, count(*) filter (where ${anyFlag(candidates, guard)}) as ${sql.identifier(name(guard))}`,
  )
  return {
    names: guards.map(name),
    columns: sql.join(columns),
    read(row) {
      const counts = guards.map((guard): [GuardName, number] => [guard, Number(row[name(guard)])])
      return Object.fromEntries(counts.filter(([, number]) => number > 0))
    },
  }
}
