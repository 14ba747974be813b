import { sql } from 'drizzle-orm'
import { dashedUuid, hexUuid } from '../../django/uuid.ts'
import type { Cell, Dialect } from '../dialect.ts'
import { columnList, rowValue, tableName } from '../identifiers.ts'
import { sqliteCatalog } from './catalog.ts'
import { isIntegerType, sqliteKit } from './kit.ts'

const INTEGER = /^-?\d{1,19}$/

/** Lower case as JavaScript knows it; SQLite's own lower() stops at ASCII. Registered when the file is opened. */
export const FOLD_CASE = 'usermgmt_fold_case'

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  kit: sqliteKit,
  forUpdate: sql``,
  lockRows: async () => {},
  catalog: sqliteCatalog,
  among: (expression, texts) => sql`${expression} in (select value from json_each(${JSON.stringify(texts)}))`,
  keyAmong: (column, type, keys) => sql`${column} in (select value from json_each(${jsonKeys(type, keys)}))`,
  foldCase: (expression) => sql`${sql.raw(FOLD_CASE)}(${expression})`,
  shownKey: (key, type) => (type === 'char(32)' ? (dashedUuid(key) ?? key) : key),
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
  // A foreign key that says INITIALLY DEFERRED is checked at COMMIT, a few statements later; nothing else can be asked for.
  checkForeignKeys: async () => {},
  recursive: (name, columns, seed, steps) => sql`${sql.identifier(name)}(${columns}) as (
    ${seed}${sql.join(
      steps.map(
        (step) =>
          sql` union select ${step.columns} from ${sql.identifier(name)} found join ${step.table} on ${step.on}`,
      ),
    )})`,
  joined: (text, separator) => sql`group_concat(${text}, ${separator})`,
  rowId: { name: 'rowid', type: 'integer' },
  // One statement deletes from one table only: find all rows first, and let the keys be checked at COMMIT.
  async deleteTogether(tx, definitions, deletions) {
    await sqliteDialect.deferForeignKeys(tx)
    const found: string[] = []
    for (const { table, identity, rows } of deletions) {
      const ids = await tx.rows<{ id: bigint }>(sql`with recursive ${sql.join([...definitions], sql`, `)}
        select rowid as id from ${tableName(table)} where ${rowValue(identity)} in (${rows})`)
      found.push(`[${ids.map((row) => row.id).join(',')}]`)
    }
    const gone: object[][] = []
    for (const [i, { table, returning }] of deletions.entries()) {
      gone.push(
        await tx.rows(sql`delete from ${tableName(table)}
          where rowid in (select value from json_each(${found[i]})) returning ${returning}`),
      )
    }
    return gone
  },
  image: (columns) => columnList(columns),
  readImage: (row) => Object.values(row).map(cellOf),
  cellValue: (cell) => sql`${boundValue(cell)}`,
}

/** SQLite's integers have 64 bits, whatever the column says. */
function integerKey(text: string): string | undefined {
  if (!INTEGER.test(text)) return undefined
  const number = BigInt(text)
  return BigInt.asIntN(64, number) === number ? number.toString() : undefined
}

/** Integers go into the JSON text digit by digit: JavaScript's numbers would round the large ones. */
function jsonKeys(type: string, keys: readonly string[]): string {
  return isIntegerType(type) ? `[${keys.map((key) => BigInt(key)).join(',')}]` : JSON.stringify(keys)
}

function cellOf(value: unknown): Cell {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : { i: value.toString() }
  }
  if (typeof value === 'number') return { r: String(value) }
  if (Buffer.isBuffer(value)) return { x: value.toString('hex') }
  return value === null ? null : String(value)
}

function boundValue(cell: Cell): unknown {
  if (typeof cell === 'number') return BigInt(cell)
  if (cell === null || typeof cell === 'string') return cell
  if ('i' in cell) return BigInt(cell.i)
  return 'r' in cell ? Number(cell.r) : Buffer.from(cell.x, 'hex')
}
