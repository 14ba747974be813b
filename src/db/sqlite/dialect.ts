import { type SQL, sql } from 'drizzle-orm'
import { dashedUuid, hexUuid } from '../../django/uuid.ts'
import type { Dialect } from '../dialect.ts'
import { RING } from '../identifiers.ts'
import { sqliteCatalog, sqliteSchemaMark } from './catalog.ts'
import { deleteTogether } from './delete-together.ts'
import { FOLD_CASE, SHA256, SHOWN_INSTANT, SHOWN_UUID } from './functions.ts'
import { cellValue, fromImages, image } from './images.ts'
import { isIntegerType, isTextType, sqliteKit } from './kit.ts'
import { deleteInLines, joined } from './lines.ts'
import { rowIdOf } from './row-id.ts'

const INTEGER = /^-?\d{1,19}$/
/** Django's, for a CharField is varchar. */
const UUID = 'char(32)'

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  kit: sqliteKit,
  parallel: false,
  pagesByKeyRange: true,
  forUpdate: sql``,
  lockRows: async () => {},
  // Whoever has begun to write waits for nobody but readers.
  waitBriefly: async () => {},
  workInMemory: async () => {},
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
  secondsAhead: async () => 0,
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
  isFlag: () => true,
  isTime: () => true,
  typeFamily(type) {
    if (isIntegerType(type)) return 'integer'
    if (type === UUID) return 'uuid'
    // Django has char(39) for an IP address.
    if (/^n?(char|character)\(/.test(type)) return 'fixed text'
    return isTextType(type) ? 'text' : undefined
  },
  shownKey: (key, type) => (type === UUID ? (dashedUuid(key) ?? key) : key),
  shownKeyText: (key, type) => (type === UUID ? sql`${sql.raw(SHOWN_UUID)}(${key})` : key),
  parseKey(text, type) {
    if (isIntegerType(type)) return integerKey(text)
    if (type === UUID) return hexUuid(text)
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
  joined,
  jsonObject: (members) => {
    const pairs = members.map(([name, value]) => sql`${name}, ${value}`)
    return sql`json_object(${sql.join(pairs, sql`, `)})`
  },
  jsonText: (text) => sql`json_quote(${text})`,
  json: (text) => sql`json(${text})`,
  // In UTC, for it is compared as text: Django writes no offset, and other programs may.
  // A pattern for each sign: SQLite looks for a set behind a * by trying every place, for a character by leaping to it.
  isInstant: (column) => sql`(${column} glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    and (${column} not glob '*+*' and ${column} not glob '??????????*-*'
      or ${column} glob '*[+-]00' or ${column} glob '*[+-]00:00'))`,
  // To SQLite every text that begins with no number is false, 't' as well.
  mayBeTrue: (flag) => sql`(${flag} <> 0)`,
  instantText,
  createIndex: () => 'CREATE INDEX',
  scanSeconds: async () => new Map(),
  rowIdsOf: (table) => [rowIdOf(table)],
  deleteInLines,
  deleteTogether,
  image,
  fromImages,
  cellValue,
}

/** SQLite's integers have 64 bits, whatever the column says. */
function integerKey(text: string): string | undefined {
  if (!INTEGER.test(text)) return undefined
  const number = BigInt(text)
  return BigInt.asIntN(64, number) === number ? number.toString() : undefined
}

/** Integers go into the JSON text digit by digit: JavaScript's numbers would round the large ones. */
function jsonKeys(type: string, keys: readonly string[]): string {
  if (!isIntegerType(type)) return JSON.stringify(keys)
  // SQLite lets any text into such a column.
  return `[${keys.map((key) => (INTEGER.test(key) ? key : JSON.stringify(key))).join(',')}]`
}

/** To ask JavaScript takes longer than all else; what Django itself has written need not be asked for. */
function instantText(text: SQL): SQL {
  return sql`case when ${text} like '____-__-__ __:__:__.______' and substr(${text}, 21) <> '000000'
    then substr(${text}, 1, 10) || 'T' || substr(${text}, 12) || 'Z'
    when ${text} is not null then ${sql.raw(SHOWN_INSTANT)}(${text}) end`
}
