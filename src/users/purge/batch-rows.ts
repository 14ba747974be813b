import { type SQL, sql } from 'drizzle-orm'
import { type Column, columnOf, type Table } from '../../db/catalog.ts'
import type { ImageColumn, Which } from '../../db/dialect.ts'
import { columnList } from '../../db/identifiers.ts'
import type { Db } from '../../db/port.ts'
import { withRecursive } from '../../db/with-recursive.ts'
import type { Site } from '../../site/site.ts'
import { archivedTables } from '../archive/header.ts'
import type { Candidates } from '../candidates.ts'
import type { DeletionStep } from './deletion-steps.ts'

/** How the statements of one batch name the rows that go with its users. */
export class BatchRows {
  readonly db: Db
  readonly candidates: Candidates
  readonly keys: readonly string[]
  private readonly site: Site
  private readonly seed: SQL
  /** The users' key is all that anything refers to: nobody need be looked up, statement by statement. */
  private readonly keysSuffice: boolean
  private readonly numbers: ReadonlyMap<Table, number>

  constructor(site: Site, candidates: Candidates, keys: readonly string[]) {
    this.db = site.db
    this.site = site
    this.candidates = candidates
    this.keys = keys
    this.numbers = new Map(archivedTables(candidates.dependents).map((table, i) => [table, i]))
    this.keysSuffice = this.areKeysEnough()
    this.seed = this.seedOf(keys)
  }

  /** Returns the definitions of the rows of these tables that go with the users, or with some of them. */
  definitions(tables: readonly Table[], keys = this.keys): SQL[] {
    const { doomed, dependents } = this.candidates
    const losing = dependents.order.flat()
    const seed = keys === this.keys ? this.seed : this.seedOf(keys)
    return [seed, ...doomed.definitions(tables.filter((table) => losing.includes(table)))]
  }

  /** Returns the statement, with these definitions before it. */
  withRows(tables: readonly Table[], statement: SQL): SQL {
    return sql`${withRecursive(this.definitions(tables))}${statement}`
  }

  /** Returns which rows of the step go with the users, or with some of them. */
  which({ tables, which, userColumn }: DeletionStep, keys = this.keys): Which {
    if (userColumn === undefined || !this.keysSuffice) {
      return { definitions: this.definitions(tables, keys), condition: which }
    }
    const column = sql`${sql.identifier(userColumn)}`
    return {
      definitions: [],
      condition: this.db.dialect.keyAmong(column, this.site.shape.userKey.type, keys),
    }
  }

  /** Returns the expression of what tells a row from the others of its table. */
  identity(table: Table): SQL {
    return this.db.dialect.image(this.columnsNamed(table, this.candidates.doomed.identityOf(table)))
  }

  /** Also the hidden ones that tell the rows of a table without a primary key apart. */
  columnsNamed(table: Table, names: readonly string[]): ImageColumn[] {
    return names.map((name) => this.candidates.doomed.columnNamed(table, name))
  }

  /** Returns the number by which the archive's lines name the table. */
  numberOf(table: Table): number {
    const number = this.numbers.get(table)
    if (number === undefined) throw new Error(`the archive does not name ${table.label}`)
    return number
  }

  /**
   * Every column that refers to the key holds the same kind of values. Where SQLite has to make numbers of texts, it goes
   * by the type of the key's column, which a list of keys has not.
   */
  private isReferredToAsItIs({ type }: Column): boolean {
    const isInteger = (of: string) => this.db.dialect.typeFamily(of) === 'integer'
    const { edges, users } = this.candidates.dependents
    return edges
      .filter(({ references }) => references === users)
      .flatMap(({ table, columns }) => columns.map((column) => columnOf(table, column)?.type ?? ''))
      .every((referring) => isInteger(referring) === isInteger(type))
  }

  private areKeysEnough(): boolean {
    const { users, userKey } = this.site.shape
    const [column, ...others] = this.candidates.doomed.columnsOf(users)
    return column === userKey.name && others.length === 0 && this.isReferredToAsItIs(userKey)
  }

  private seedOf(keys: readonly string[]): SQL {
    const { db, candidates, site } = this
    const { shape, tables } = site
    const { type } = shape.userKey
    const columns = candidates.doomed.columnsOf(shape.users)
    const rows = this.keysSuffice
      ? db.dialect.keyRows(type, keys)
      : sql`select ${columnList(columns)} from ${tables.users}
            where ${db.dialect.keyAmong(sql`${tables.users.key}`, type, keys)}`
    return sql`${candidates.doomed.nameOf(shape.users)}(${columnList(columns)}) as (${rows})`
  }
}
