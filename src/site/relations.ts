import { type SQL, sql } from 'drizzle-orm'
import { columnOf, identifyingColumns, type Table } from '../db/catalog.ts'
import type { Dialect, ImageColumn, RecursiveColumn } from '../db/dialect.ts'
import { refersTo } from '../db/foreign-keys.ts'
import { columnList, ownName, tableName } from '../db/identifiers.ts'
import { type Dependents, deletingEdges, type Edge, type Spread } from './dependents.ts'
import { ringDefinition, rowsOfRing } from './ring-relation.ts'

/** A row that is reached, the one through which it is, and the column for the user whom both belong to. */
export const HERE = ownName('here')
export const ABOVE = ownName('above')
export const OWNER = ownName('owner')

interface RelationOptions {
  /** First part of the expressions' names, so that two sets fit into one statement. */
  readonly prefix: string
  /** Carry along, in a column of its own, the key of the user through whom a row is reached. */
  readonly owner?: boolean
}

/**
 * Common table expressions for the rows that a deletion reaches, one for each table, all derived from one seed: the
 * users, which the statement defines under `nameOf(users)`. The same for counting, checking and deleting.
 */
export class Relations {
  readonly dependents: Dependents
  readonly dialect: Dialect
  private readonly prefix: string
  private readonly owner: boolean
  private readonly tables: readonly Table[]

  constructor(dependents: Dependents, dialect: Dialect, { prefix, owner = false }: RelationOptions) {
    this.dependents = dependents
    this.dialect = dialect
    this.prefix = prefix
    this.owner = owner
    this.tables = dependents.spread.flatMap((group) => group.tables)
  }

  /** Returns a number that stands for the table within the statement. */
  numberOf(table: Table): number {
    return this.tables.indexOf(table)
  }

  /** Returns the name of the expression that holds the rows of the table. */
  nameOf(table: Table): SQL {
    return ownName(`${this.prefix}_${this.numberOf(table)}`)
  }

  /** Returns the name of a ring's common expression. */
  ringNameOf(group: Spread): SQL {
    return ownName(`${this.prefix}_ring_${this.numberOf(group.tables[0] ?? this.dependents.users)}`)
  }

  /** Returns the columns that tell a row of the table from all others. */
  identityOf(table: Table): readonly string[] {
    return identifyingColumns(
      table,
      this.dialect.rowIdsOf(table).map(({ name }) => name),
    )
  }

  /** Returns a column of `columnsOf`, also a hidden one. */
  columnNamed(table: Table, name: string): ImageColumn {
    const found = columnOf(table, name) ?? this.dialect.rowIdsOf(table).find((column) => column.name === name)
    if (!found) throw new Error(`${table.label} has no column ${name}`)
    return found
  }

  /** Returns the columns of the table's expression: its identity, and whatever other tables refer to. */
  columnsOf(table: Table): readonly string[] {
    const referenced = this.dependents.edges
      .filter((edge) => edge.references === table)
      .flatMap((edge) => edge.referencedColumns)
    return [...new Set([...this.identityOf(table), ...referenced])]
  }

  /** Returns what stands before an expression's columns: the owner, qualified, and a comma. Empty without owners. */
  ownerFrom(qualifier?: SQL): SQL {
    if (!this.owner) return sql``
    return qualifier ? sql`${qualifier}.${OWNER}, ` : sql`${OWNER}, `
  }

  /** The column of the user table that stands for the owner: allauth may refer to another one. */
  get ownerKey(): ImageColumn {
    const { users } = this.dependents
    return this.columnNamed(users, this.identityOf(users)[0] ?? '')
  }

  /** Returns the column of the owner, where there is one. */
  get ownerColumns(): RecursiveColumn[] {
    return this.owner ? [{ name: OWNER, type: this.ownerKey.type }] : []
  }

  /** Returns the definitions for the rows of these tables and of all tables that they hang on, the seed apart. */
  definitions(wanted: Iterable<Table>): SQL[] {
    const needed = this.withAncestors(wanted)
    return this.dependents.spread
      .filter((group) => group.tables.some((table) => needed.has(table) && table !== this.dependents.users))
      .flatMap((group) => this.define(group, needed))
  }

  /** Returns `from above join here`: the rows that are reached through the edge, as `here`. */
  reachedThrough(edge: Edge): SQL {
    return sql`from ${this.nameOf(edge.references)} ${ABOVE} join ${tableName(edge.table)} ${HERE}
      on ${refersTo(edge, HERE, ABOVE)}`
  }

  private withAncestors(wanted: Iterable<Table>): Set<Table> {
    const needed = new Set(wanted)
    for (const table of needed) {
      for (const edge of deletingEdges(this.dependents, table)) needed.add(edge.references)
    }
    return needed
  }

  private define(group: Spread, needed: ReadonlySet<Table>): SQL[] {
    const tables = group.tables.filter((table) => needed.has(table))
    if (!group.ring) return tables.map((table) => this.named(table, this.reached(table)))
    return [
      ringDefinition(this, group),
      ...tables.map((table) => this.named(table, rowsOfRing(this, group, table))),
    ]
  }

  private named(table: Table, rows: SQL): SQL {
    return sql`${this.nameOf(table)}(${this.ownerFrom()}${columnList(this.columnsOf(table))}) as (${rows})`
  }

  private reached(table: Table): SQL {
    return sql.join(
      deletingEdges(this.dependents, table).map(
        (edge) =>
          sql`select ${this.ownerFrom(ABOVE)}${columnList(this.columnsOf(table), HERE)} ${this.reachedThrough(edge)}`,
      ),
      sql` union `,
    )
  }
}
