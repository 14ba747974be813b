import { type SQL, sql } from 'drizzle-orm'
import { dashedUuid, hexUuid } from '../../django/uuid.ts'
import { UserError } from '../../errors.ts'
import { BATCH_SIZES } from '../batch-sizes.ts'
import { columnOf, type Table } from '../catalog.ts'
import type { DeletionOf, Dialect, ImageColumn, ImagePlace, LinedRows } from '../dialect.ts'
import { KeptByTrigger } from '../errors.ts'
import { RING, rowValue, tableName } from '../identifiers.ts'
import { joinedLines } from '../joined-lines.ts'
import type { Db } from '../port.ts'
import { sqliteCatalog, sqliteSchemaMark } from './catalog.ts'
import { boundValue, isBytesOfText } from './cells.ts'
import { isExact } from './exact-lines.ts'
import { FOLD_CASE, IS_UTF8, OBJECT_CELL, REAL_TEXT, SHA256, SHOWN_INSTANT, SHOWN_UUID } from './functions.ts'
import { isIntegerType, sqliteKit } from './kit.ts'

/** Of SQLite's row id. */
const ROW_ID_NAMES = ['rowid', '_rowid_', 'oid']

const INTEGER = /^-?\d{1,19}$/

/** So many users' rows come at a time: megabytes would lie about in memory. As bytes: a string would be made in vain. */
const USERS_IN_LINES = 1_000

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  kit: sqliteKit,
  parallel: false,
  pagesByKeyRange: true,
  batchSize: BATCH_SIZES.sqlite,
  forUpdate: sql``,
  lockRows: async () => {},
  // Whoever has begun to write waits for nobody but readers.
  waitBriefly: async () => {},
  // https://sqlite.org/pragma.html#pragma_data_version; a trigger would change rows without a change of its own.
  async changeMark(tx) {
    const [found] = await tx.rows<{
      version: bigint
    }>(sql`select data_version as version from pragma_data_version
      where not exists (select 1 from sqlite_schema where type = 'trigger')`)
    return found?.version.toString()
  },
  async changedRows(tx) {
    const [found] = await tx.rows<{ changes: bigint }>(sql`select total_changes() as changes`)
    return Number(found?.changes)
  },
  schemaMark: sqliteSchemaMark,
  withoutRight: async () => new Map(),
  async triggers(db, tables) {
    const found = await db.rows<{ table: string; name: string }>(
      sql`select lower(tbl_name) as "table", name from sqlite_schema where type = 'trigger' order by 1, 2`,
    )
    // A trigger names its table as whoever made it did.
    return found.flatMap(({ table, name }) => {
      const on = tables.find((each) => each.name.toLowerCase() === table)
      return on ? [{ table: on.label, name }] : []
    })
  },
  catalog: sqliteCatalog,
  among: (expression, texts) => sql`${expression} in (select value from json_each(${JSON.stringify(texts)}))`,
  amongNames: (expression, names) => {
    const fold = sql.raw(FOLD_CASE)
    return sql`${fold}(${expression}) in (select ${fold}(value) from json_each(${JSON.stringify(names)}))`
  },
  keyAmong: (column, type, keys) => sql`${column} in (${sqliteDialect.keyRows(type, keys)})`,
  keyRows: (type, keys) => sql`select value from json_each(${jsonKeys(type, keys)})`,
  foldCase: (expression) => sql`${sql.raw(FOLD_CASE)}(${expression})`,
  sha256: (text) => sql`${sql.raw(SHA256)}(${text})`,
  isIntegerKey: isIntegerType,
  shownKey: (key, type) => (type === 'char(32)' ? (dashedUuid(key) ?? key) : key),
  shownKeyText: (key, type) => (type === 'char(32)' ? sql`${sql.raw(SHOWN_UUID)}(${key})` : key),
  parseKey(text, type) {
    if (isIntegerType(type)) return integerKey(text)
    if (type === 'char(32)') return hexUuid(text)
    return text
  },
  exactText: (column) => column,
  // `begin immediate` has seen to it.
  oneAtATime: async () => {},
  deferForeignKeys: async (tx) => {
    await tx.run(sql`pragma defer_foreign_keys = on`)
  },
  overridingIdentity: sql``,
  // https://sqlite.org/autoinc.html: it goes on from the largest key by itself.
  advanceSequences: async () => [],
  // A foreign key that says INITIALLY DEFERRED is checked at COMMIT, a few statements later; nothing else can be asked for.
  checkForeignKeys: async () => {},
  // SQLite has no such keys.
  checkKeysAtOnce: async () => {},
  // Any text may be a type, which a cast need not understand.
  nullOf: () => sql`null`,
  recursive: (name, columns, seed, steps) => sql`${name}(${sql.join(
    columns.map((column) => column.name),
    sql`, `,
  )}) as (
    ${seed}${sql.join(
      steps.map(
        (step) => sql` union select ${step.columns} from ${name} ${RING} join ${step.table} on ${step.on}`,
      ),
    )})`,
  jsonList: (text, where = sql`true`) => sql`json_group_array(${text}) filter (where ${where})`,
  joined: (text, separator) => sql`group_concat(${text}, ${separator})`,
  jsonObject: (members) => {
    const pairs = members.map(([name, value]) => sql`${name}, ${value}`)
    return sql`json_object(${sql.join(pairs, sql`, `)})`
  },
  jsonText: (text) => sql`json_quote(${text})`,
  json: (text) => sql`json(${text})`,
  isInstant: (column) => sql`${column} glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'`,
  instantText,
  createIndex: () => 'CREATE INDEX',
  scanSeconds: async () => new Map(),
  rowIdsOf: (table) => [rowIdOf(table)],
  // RETURNING would hand over a row at a time, which takes longer than to look twice: nobody else can write meanwhile.
  async deleteInLines(tx, { keys, definitions, table, where, line, take }) {
    const rows = { keys, definitions, table, where, line }
    const [{ encoding } = {}] = await tx.rows<{ encoding?: string }>(
      sql`select encoding from pragma_encoding`,
    )
    const bytes = (text: SQL) => (encoding === 'UTF-8' ? sql`cast(${text} as blob)` : text)
    for (const slice of slicesOf(keys, USERS_IN_LINES)) {
      const quick = await linesOf(tx, lineSelect(rows, slice, quickImage, bytes))
      const lines = isExact(quick)
        ? quick
        : await linesOf(tx, lineSelect(rows, slice, sqliteDialect.image, bytes))
      if (lines) take(lines)
    }
    return tx.changes(sql`with recursive ${sql.join([...definitions(keys)], sql`, `)}
      delete from ${tableName(table)} where ${where}`)
  },
  // One statement deletes from one table only, and neither returns nor counts what foreign keys take along or change
  // meanwhile: read all rows first, and let the keys be checked at COMMIT.
  async deleteTogether<T extends object>(
    tx: Db,
    definitions: readonly SQL[],
    deletions: readonly DeletionOf[],
  ) {
    await sqliteDialect.deferForeignKeys(tx)
    const found: (T & { identityImage: string })[][] = []
    for (const { table, identity, rows, returning } of deletions) {
      const columns = identity.map((name) => columnOf(table, name) ?? rowIdOf(table))
      found.push(
        await tx.rows<T & { identityImage: string }>(sql`with recursive ${sql.join([...definitions], sql`, `)}
          select ${sqliteDialect.image(columns)} as "identityImage", ${returning} from ${tableName(table)}
          where ${rowValue(identity)} in (${rows})`),
      )
    }
    for (const [i, { table, identity }] of deletions.entries()) {
      const images = `[${found[i]?.map((row) => row.identityImage).join(',')}]`
      const places = identity.map((name, at) => ({ at, type: columnOf(table, name)?.type ?? 'integer' }))
      const deleted = await tx.changes(sql`delete from ${tableName(table)}
        where ${rowValue(identity)} in (${sqliteDialect.fromImages(images, places)})`)
      // Fewer may be those that a foreign key has taken along meanwhile; what is still there, a trigger has kept.
      if (deleted < (found[i]?.length ?? 0) && (await isAnyLeft(tx, table, identity, images, places))) {
        throw new KeptByTrigger()
      }
    }
    return found
  },
  image: (columns) => sql`json_array(${sql.join(columns.map(exactCellOf), sql`, `)})`,
  // Without its WHERE, an ON CONFLICT that follows would be taken for the join's ON.
  fromImages: (images, places) => sql`select ${sql.join(places.map(imageValue), sql`, `)}
    from json_each(${images}) where true`,
  cellValue: (cell) =>
    isBytesOfText(cell) ? sql`cast(${boundValue(cell)} as text)` : sql`${boundValue(cell)}`,
}

/** Returns selects of the lines in one cell, those of so many users in each; of what it yields, see `isExact`. */
export function lineTexts(rows: LinedRows, usersAtOnce: number): SQL[] {
  return slicesOf(rows.keys, usersAtOnce).map((keys) => lineSelect(rows, keys, quickImage, (text) => text))
}

function slicesOf(keys: readonly string[], size: number): (readonly string[])[] {
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, i) => keys.slice(i * size, (i + 1) * size))
}

function lineSelect(
  { definitions, table, where, line }: LinedRows,
  keys: readonly string[],
  image: (columns: readonly ImageColumn[]) => SQL,
  cell: (text: SQL) => SQL,
): SQL {
  const text = joinedLines(sqliteDialect, line, image(line.columns))
  return sql`with recursive ${sql.join([...definitions(keys)], sql`, `)}
    select ${cell(text)} as lines from ${tableName(table)} where ${where}`
}

async function linesOf(tx: Db, select: SQL): Promise<Uint8Array | string | null> {
  const [found] = await tx.rows<{ lines: Uint8Array | string | null }>(select)
  return found?.lines ?? null
}

async function isAnyLeft(
  tx: Db,
  table: Table,
  identity: readonly string[],
  images: string,
  places: readonly ImagePlace[],
): Promise<boolean> {
  const left = await tx.rows(sql`select 1 from ${tableName(table)}
    where ${rowValue(identity)} in (${sqliteDialect.fromImages(images, places)}) limit 1`)
  return left.length > 0
}

/** A column may have one of its names: then that name means the column (https://sqlite.org/rowidtable.html). */
function rowIdOf({ label, columns }: Table): ImageColumn {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  const free = ROW_ID_NAMES.find((name) => !taken.has(name))
  if (free) return { name: free, type: 'integer' }
  throw new UserError(`the rows of ${label} cannot be told apart: columns have all names of its row id`, {
    kind: 'refused',
    hint: 'give the table a primary key',
  })
}

/** SQLite's integers have 64 bits, whatever the column says. */
function integerKey(text: string): string | undefined {
  if (!INTEGER.test(text)) return undefined
  const number = BigInt(text)
  return BigInt.asIntN(64, number) === number ? number.toString() : undefined
}

/** Integers go into the JSON text digit by digit: JavaScript's numbers would round the large ones. */
function jsonKeys(type: string, keys: readonly string[]): string {
  return isIntegerType(type) ? `[${keys.join(',')}]` : JSON.stringify(keys)
}

/** As `image`, for text that is UTF-8 anyway: to look at each takes longer than all else. */
function quickImage(columns: readonly ImageColumn[]): SQL {
  return sql`json_array(${sql.join(columns.map(cellOf), sql`, `)})`
}

/** SQLite takes any bytes for text, and JSON does not. */
function exactCellOf(column: ImageColumn): SQL {
  const value = sql.identifier(column.name)
  return sql`case when typeof(${value}) = 'text' and not ${sql.raw(IS_UTF8)}(cast(${value} as blob))
    then json_object('t', lower(hex(cast(${value} as blob)))) else ${cellOf(column)} end`
}

/** Every value of SQLite has a type of its own, whatever its column says; but one that says text holds no numbers. */
function cellOf({ name, type }: ImageColumn): SQL {
  const value = sql.identifier(name)
  if (/char|clob|text/.test(type) && !type.includes('int')) {
    return sql`iif(typeof(${value}) = 'blob', json_object('x', lower(hex(${value}))), ${value})`
  }
  const safe = sql.raw(String(Number.MAX_SAFE_INTEGER))
  const real = sql`json_object('r', ${sql.raw(REAL_TEXT)}(cast(${value} as real)))`
  // A real without a fraction, when DELETE returns it after having looked in an index for rows that refer to it.
  const integer = hasRealAffinity(type)
    ? real
    : sql`iif(${value} between -${safe} and ${safe}, ${value}, json_object('i', cast(${value} as text)))`
  return sql`case typeof(${value}) when 'text' then ${value}
    when 'integer' then ${integer}
    when 'real' then ${real}
    when 'blob' then json_object('x', lower(hex(${value})))
    else ${value} end`
}

/** https://sqlite.org/datatype3.html#determination_of_column_affinity, for a type that does not say text. */
function hasRealAffinity(type: string): boolean {
  return /real|floa|doub/.test(type) && !/int|blob/.test(type)
}

function imageValue({ at }: ImagePlace): SQL {
  const path = sql.raw(`'$[${at}]'`)
  const cell = sql`json_extract(value, ${path})`
  const object = sql`${sql.raw(OBJECT_CELL)}(${cell})`
  const isBytes = sql`json_type(value, ${sql.raw(`'$[${at}].t'`)}) is not null`
  return sql`case json_type(value, ${path}) when 'object'
    then case when ${isBytes} then cast(${object} as text) else ${object} end else ${cell} end`
}

/** To ask JavaScript takes longer than all else; what Django itself has written need not be asked for. */
function instantText(text: SQL): SQL {
  return sql`case when ${text} like '____-__-__ __:__:__.______' and substr(${text}, 21) <> '000000'
    then substr(${text}, 1, 10) || 'T' || substr(${text}, 12) || 'Z'
    when ${text} is not null then ${sql.raw(SHOWN_INSTANT)}(${text}) end`
}
