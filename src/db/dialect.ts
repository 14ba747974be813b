import type { SQL } from 'drizzle-orm'
import type { Catalog, Column, Table } from './catalog.ts'
import type { ColumnKit } from './kit.ts'
import type { Db } from './port.ts'

/** Where databases differ, by name. A query asks for what it needs and never which database it runs on. */
export interface Dialect extends Catalogs, Locks, Keys, Expressions, Constraints, Images {
  readonly name: 'sqlite' | 'postgres'
  readonly kit: ColumnKit
  /** Several transactions of one port may be at work at once. */
  readonly parallel: boolean
  /** To read the rows behind a key costs no more than these; elsewhere a join may begin at the start of another table. */
  readonly pagesByKeyRange: boolean
  /**
   * From now on the transaction sorts and hashes the keys of a large site in memory, however little the server gives to a
   * statement by default.
   */
  workInMemory(tx: Db): Promise<void>
}

/** What the database says about itself. */
interface Catalogs {
  /** Returns what the database says about its tables. */
  catalog(db: Db): Promise<Catalog>
  /** Within a transaction: a text that changes with the tables, their columns and their foreign keys. */
  schemaMark(tx: Db): Promise<string>
  /** Returns how many seconds the time is ahead of the server's clock; 0 where there is no other one than this machine's. */
  secondsAhead(db: Db, time: Date): Promise<number>
  /** Returns the triggers of the site by the names of their tables: what they do, nobody knows. */
  triggers(db: Db, tables: readonly Table[]): Promise<readonly Trigger[]>
  /** Returns the columns on which this role lacks the right, of each table that has some; none where there are no roles. */
  withoutRight(
    db: Db,
    right: TableRight,
    tables: readonly Table[],
  ): Promise<ReadonlyMap<Table, ReadonlySet<string>>>
  /** The beginning of a statement that makes an index on the table while the site goes on writing, where that can be. */
  createIndex(table: Table): string
  /** About how long it takes to read each of the tables from end to end; empty where the database knows no sizes. */
  scanSeconds(db: Db, tables: readonly Table[]): Promise<ReadonlyMap<Table, number>>
}

/** Who waits for whom, and what others have changed. */
interface Locks {
  /**
   * Locks the rows of a table until the transaction ends, in a fixed order; nothing where it locks everything. The
   * definitions are common table expressions that the condition refers to.
   */
  lockRows(tx: Db, table: SQL, where: SQL, order: SQL, definitions?: readonly SQL[]): Promise<void>
  /** Ends a select that locks the rows it reads; empty where the transaction locks everything. */
  readonly forUpdate: SQL
  /** From now on the transaction waits for no lock for long: others wait for those that it holds. */
  waitBriefly(tx: Db): Promise<void>
  /** Lets one transaction at a time past this point, until it ends. */
  oneAtATime(tx: Db): Promise<void>
  /**
   * Within a transaction: a text that stays the same until somebody else has changed the database; undefined where
   * nobody can tell, or where the database changes rows by itself.
   */
  changeMark(tx: Db): Promise<string | undefined>
  /**
   * Within a transaction: counts the rows deleted and updated, also by foreign keys, from some point before it; only the
   * difference of two numbers tells something, and it may be too small where the server keeps no statistics.
   */
  changedRows(tx: Db): Promise<number>
}

/** Keys and names: as the database has them, as people write them, and many of them in one bound value. */
interface Keys {
  /** Whether a column of this database type can hold true and false, and be asked for it. */
  isFlag(type: string): boolean
  /** Whether a column of this database type can be compared with an instant; what it cannot hold, `isInstant` tells. */
  isTime(type: string): boolean
  /** Returns what values of this database type are; undefined for what nobody here has to know. */
  typeFamily(type: string): TypeFamily | undefined
  /** A key from the database's text form to the one people read and write, and back; undefined when it cannot be one. */
  shownKey(key: string, type: string): string
  shownKeyText(key: SQL, type: string): SQL
  parseKey(text: string, type: string): string | undefined
  /** True when the column, of the given database type, is one of the keys (text form); any number in one bound value. */
  keyAmong(column: SQL, type: string, keys: readonly string[]): SQL
  /** A select of the keys, of the given database type, in one column. */
  keyRows(type: string, keys: readonly string[]): SQL
  /** True when the expression is one of the texts; any number of them in one bound value. */
  among(expression: SQL, texts: readonly string[]): SQL
  /** True when the expression is one of the names, whatever the case of either: the database folds both. */
  amongNames(expression: SQL, names: readonly string[]): SQL
  /** Lower case for comparing names, beyond ASCII as well. */
  foldCase(expression: SQL): SQL
  /** The SHA-256 of a text in UTF-8, in lower-case hexadecimal. */
  sha256(text: SQL): SQL
}

/** Expressions that each database writes in its own way. */
interface Expressions {
  /** NULL among values of this database type. */
  nullOf(column: Pick<Column, 'type' | 'collation'>): SQL
  /** A common table expression that grows from `seed` by `steps` until nothing is new. */
  recursive(name: SQL, columns: readonly RecursiveColumn[], seed: SQL, steps: readonly RecursiveStep[]): SQL
  /** The column, of the given database type, as text that reads back to exactly the same value. */
  exactText(column: SQL, type: string): SQL
  /** True when the value is an instant that can be compared with others; a column may hold anything else instead. */
  isInstant(column: SQL): SQL
  /** True unless the flag is false, or NULL when it is NULL; a column may hold anything else instead. */
  mayBeTrue(flag: SQL): SQL
  /** The exact text of an instant as `instantFromText` would return it; within a transaction, where the time zone is UTC. */
  instantText(exactText: SQL): SQL
  /** An aggregate: the texts of a group, or those of its rows where something holds, as the text of a JSON array. */
  jsonList(text: SQL, where?: SQL): SQL
  /** An aggregate: the texts with the separator between them, in the order in which they come; NULL for none. */
  joined(text: SQL, separator: string): SQL
  /** The text of a JSON object without spaces. A value from `json` is taken for what it is, any other one for text. */
  jsonObject(members: readonly (readonly [name: string, value: SQL])[]): SQL
  /** The text of a JSON string. */
  jsonText(text: SQL): SQL
  /** The text of a JSON value as a member of a JSON object. */
  json(text: SQL): SQL
}

/** When foreign keys and unique keys are checked, and who numbers the rows. */
interface Constraints {
  /** Lets rows that refer to each other come in any order, as far as the database can. */
  deferForeignKeys(tx: Db): Promise<void>
  /** Reports a broken foreign key at this point of the transaction, not at its end. */
  checkForeignKeys(tx: Db): Promise<void>
  /** Within the transaction, from now on: keys of the table that may be checked later are checked by each statement. */
  checkKeysAtOnce(tx: Db, table: Table): Promise<void>
  /** In an insert: the values given are taken for columns that the database numbers itself. */
  readonly overridingIdentity: SQL
  /**
   * Moves the sequences of these tables past their largest keys, and returns the tables whose sequence this role may not
   * change. A transaction that is rolled back does not take it back.
   */
  advanceSequences(db: Db, tables: readonly Table[]): Promise<readonly Table[]>
}

/** Rows as they are archived, deleted and put back. */
interface Images {
  /** What to select of a row to be able to put it back exactly: its cells as the text of a JSON array. */
  image(columns: readonly ImageColumn[]): SQL
  /** A select of rows from a JSON array of images: of each the cells at these places, as values for columns of the types. */
  fromImages(images: string, places: readonly ImagePlace[]): SQL
  /** The cell as a value for a column of the type. */
  cellValue(cell: Cell, type: string): SQL
  /** The hidden columns that tell the rows of a table without a primary key apart, within one transaction. */
  rowIdsOf(table: Table): readonly ImageColumn[]
  /** Deletes the rows of the table where the condition holds, and returns how many. */
  deleteInLines(tx: Db, deletion: LinedDeletion): Promise<number>
  /**
   * Deletes rows of tables that refer to each other as one step, and returns the `returning` rows of each. The
   * definitions are the common table expressions that the rows are selected from.
   */
  deleteTogether<T extends object>(
    tx: Db,
    definitions: readonly SQL[],
    deletions: readonly DeletionOf[],
  ): Promise<T[][]>
}

/**
 * An exact value as JSON. PostgreSQL: its own text form. SQLite, whose values have types of their own: text, an integer
 * as number (or `i` when JavaScript would round it), a real as `r`, a blob in hexadecimal as `x`, and so, as `t`, text
 * that is not UTF-8.
 */
export type Cell =
  | string
  | number
  | null
  | { readonly i: string }
  | { readonly r: string }
  | { readonly x: string }
  | { readonly t: string }

/** A column that an image holds, with its declared type in lower case. */
export interface ImageColumn {
  readonly name: string
  readonly type: string
}

/** Which cell of an image, and the type of the column that it is for. */
export interface ImagePlace {
  readonly at: number
  readonly type: string
}

/** `fixed text`: of one length; `caseless`: equal whatever their case. Values of one family compare as people expect. */
export type TypeFamily = 'integer' | 'text' | 'fixed text' | 'caseless' | 'uuid'

export type TableRight = 'SELECT' | 'INSERT' | 'UPDATE'

export interface Trigger {
  /** Its label. */
  readonly table: string
  readonly name: string
}

/** The text of a row: an image of these columns, and what stands before and after it in each line. */
export interface Line {
  readonly before: string
  readonly columns: readonly ImageColumn[]
  readonly after: string
}

/** The rows of one table that go with these users: a condition on them, and the text of each, one line. */
export interface LinedRows {
  readonly keys: readonly string[]
  readonly table: Table
  /** Returns which rows go with all of the users, or with some. */
  readonly which: (keys: readonly string[]) => Which
  readonly line: Line
}

/** A condition on rows, and the common table expressions that it refers to. */
export interface Which {
  readonly definitions: readonly SQL[]
  readonly condition: SQL
}

export interface LinedDeletion extends LinedRows {
  /** Is handed the texts of all rows: each in a line of its own, one or more lines at a time, as UTF-8 when in bytes. */
  readonly take: (lines: string | Uint8Array) => void
}

/** The rows of one table to delete: a select of the columns that tell them apart. */
export interface DeletionOf {
  readonly table: Table
  readonly identity: readonly string[]
  readonly rows: SQL
  /** What to select of each, the same columns for all tables. */
  readonly returning: SQL
}

/** A column of a recursive expression, and the database type of its values. */
export interface RecursiveColumn {
  readonly name: SQL
  readonly type: string
}

/** The rows of one table that follow from a row found before: `select columns from table where on`. */
export interface RecursiveStep {
  readonly columns: SQL
  readonly table: SQL
  readonly on: SQL
}
