import type { ForeignKey, Table } from '../db/catalog.ts'
import { groupBy } from '../db/group-by.ts'
import { UserError } from '../errors.ts'
import type { Shape } from './discover.ts'
import { fromParent, isParentLink, parentLinks, tablesOfPeople } from './inheritance.ts'
import type { Rule } from './register.ts'
import { type RuleSettings, readRules, ruleFor } from './rules.ts'
import { stronglyConnected } from './strongly-connected.ts'

/**
 * A foreign key onto a row that a purge may delete, and what happens then to the row that holds it; also the way from
 * a child to its parent in multi-table inheritance.
 */
export interface Edge extends ForeignKey {
  readonly rule: Rule
}

/** The tables that hang on the user table, as far as rules let a deletion spread. */
export interface Dependents {
  readonly users: Table
  readonly edges: readonly Edge[]
  /**
   * The tables that lose rows, in the order of deletion: whatever refers to a table comes before it, and the user
   * table is in the last group. Tables that refer to each other in a ring share a group.
   */
  readonly order: readonly (readonly Table[])[]
  /** The same tables as a deletion spreads over them: the user table first, each after what its rows hang on. */
  readonly spread: readonly Spread[]
}

/** One table, or several between which deletion goes round: then a row may pull in further rows of its own table. */
export interface Spread {
  readonly tables: readonly Table[]
  readonly ring: boolean
}

/**
 * Walks the foreign keys from the user table down and gives each its rule.
 * Throws a UserError: (refused) when not even the addresses refer to the users, (invalid) for a rule that names what is
 * not there.
 */
export function dependentsOf(shape: Shape, settings: readonly RuleSettings[]): Dependents {
  const { users } = shape
  refuseWithoutForeignKeys(shape)
  const { edges, losing } = edgesFrom(shape, settings)
  const tables = [...losing]
  const spread = stronglyConnected(tables, (table) =>
    referring(edges, table, losing, (edge) => edge.rule === 'delete'),
  )
  return {
    users,
    edges,
    order: stronglyConnected(tables, (table) =>
      // What a user refers to with the own row is kept by nobody else: it goes with it, and not before.
      referring(
        edges,
        table,
        losing,
        (edge) => edge.rule !== 'keep' || isParentLink(edge) || edge.table === users,
      ),
    ),
    spread: spread.reverse().map((group) => ({
      tables: group,
      ring: group.length > 1 || group.some((table) => spreadsOverItself(edges, table)),
    })),
  }
}

/** A copy without its foreign keys, as after some imports: nobody can tell what belongs to an account. */
function refuseWithoutForeignKeys({ catalog, users, emailAddresses }: Shape): void {
  if (catalog.foreignKeys.some((key) => key.table === emailAddresses && key.references === users)) return
  throw new UserError(
    `${emailAddresses.label} has no foreign key to ${users.label}: nobody can tell what belongs to an account`,
    {
      kind: 'refused',
      hint: 'put the foreign keys of the site back, or see tables.users in the configuration file',
    },
  )
}

/**
 * Throws a UserError (refused) when a deletion would reach rows that could not be put back: of a table that others
 * inherit from, theirs would go with its own, and no archive would hold what only they have; what a rule makes of a deletion, nobody knows.
 */
export function refuseIrretrievable({ users, edges }: Dependents): void {
  const reached = [users, ...edges.filter(({ rule }) => rule !== 'keep').map(({ table }) => table)]
  const extended = reached.find((table) => table.extended)
  if (extended) {
    throw irretrievable(
      `other tables inherit from ${extended.label}: what they hold could not be put back`,
      'make partitions of these tables',
    )
  }
  const ruled = reached.find((table) => table.ruled)
  if (ruled) {
    throw irretrievable(
      `rules of the database change what is done to ${ruled.label}: it could not be put back`,
      'make triggers of the rules',
    )
  }
}

function irretrievable(message: string, wayOut: string): UserError {
  const hint = `let its rows keep their users (keep in the configuration file), or ${wayOut}`
  return new UserError(message, { kind: 'refused', hint })
}

function edgesFrom(shape: Shape, settings: readonly RuleSettings[]) {
  const { users, catalog } = shape
  const book = readRules(catalog, settings)
  const onto = groupBy(catalog.foreignKeys, (key) => key.references)
  const people = tablesOfPeople(catalog, users)
  const edges: Edge[] = []
  const losing = new Set<Table>([users])
  for (const table of losing) {
    const parents = parentLinks(catalog, table).filter((link) => !people.has(link.references))
    const found = [
      ...(onto.get(table) ?? []).map((key) => ({ ...key, rule: ruleFor(key, book, people, shape) })),
      ...parents.map((link) => ({ ...fromParent(link), rule: 'delete' as const })),
    ]
    edges.push(...found)
    for (const edge of found) if (edge.rule === 'delete') losing.add(edge.table)
  }
  return { edges, losing }
}

function referring(
  edges: readonly Edge[],
  table: Table,
  within: ReadonlySet<Table>,
  matters: (edge: Edge) => boolean,
): Table[] {
  return edges
    .filter((edge) => edge.references === table && matters(edge) && within.has(edge.table))
    .map((edge) => edge.table)
}

function spreadsOverItself(edges: readonly Edge[], table: Table): boolean {
  return edges.some((edge) => edge.table === table && edge.references === table && edge.rule === 'delete')
}

/** Returns how people name the edge, and rules too: `blog_post.author_id`. */
export function edgeLabel(edge: ForeignKey): string {
  return `${edge.table.label}.${edge.columns.join(',')}`
}

/** Returns the edges that refer to the table and follow the rule. */
export function edgesOnto(dependents: Dependents, table: Table, rule: Rule): Edge[] {
  return dependents.edges.filter((edge) => edge.references === table && edge.rule === rule)
}

/** Returns the edges through which rows of the table are deleted. */
export function deletingEdges(dependents: Dependents, table: Table): Edge[] {
  return dependents.edges.filter((edge) => edge.table === table && edge.rule === 'delete')
}

/** True when rows of the table may be deleted. */
export function mayGo(dependents: Dependents, table: Table): boolean {
  return table === dependents.users || deletingEdges(dependents, table).length > 0
}

/** True when rows of the table may lose a reference, and stay. */
export function mayBeNulled({ edges }: Dependents, table: Table): boolean {
  return edges.some((edge) => edge.table === table && edge.rule === 'set-null')
}

/** Returns the edges by which the database clears references of the table's rows to others of the group. */
export function nulledWithin({ edges }: Dependents, group: readonly Table[], table: Table): Edge[] {
  return edges.filter(
    (edge) => edge.table === table && group.includes(edge.references) && /^set /.test(edge.onDelete),
  )
}

/** True when the database does something of its own to rows that refer to a deleted one of the table. */
export function hasActiveKey({ edges }: Dependents, table: Table): boolean {
  return edges.some((edge) => edge.references === table && !/^(no action|restrict)$/.test(edge.onDelete))
}

/** True when rows of the table may refer to others of it, whatever the rule. */
export function refersToItself({ edges }: Dependents, table: Table): boolean {
  return edges.some((edge) => edge.table === table && edge.references === table)
}
