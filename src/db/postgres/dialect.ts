import { sql } from 'drizzle-orm'
import { dashedUuid } from '../../django/uuid.ts'
import type { Dialect } from '../dialect.ts'
import { rowValue, tableName } from '../identifiers.ts'
import { postgresCatalog } from './catalog.ts'
import { postgresKit } from './kit.ts'

const INTEGER = /^-?\d{1,19}$/
/** Any number will do that nobody else takes: the first letters of the name. */
const LOCK = 0x75736d67

const LARGEST: Record<string, bigint> = { smallint: 2n ** 15n, integer: 2n ** 31n, bigint: 2n ** 63n }

export const postgresDialect: Dialect = {
  name: 'postgres',
  kit: postgresKit,
  forUpdate: sql`for update`,
  lockRows: async (tx, table, where, order) => {
    await tx.rows(sql`select 1 from ${table} where ${where} order by ${order} for update`)
  },
  catalog: postgresCatalog,
  among: (expression, texts) => sql`${expression} = any(${sql.param(texts)}::text[])`,
  keyAmong: (column, type, keys) => sql`${column} = any(${sql.param(keys)}::${sql.raw(type)}[])`,
  foldCase: (expression) => sql`lower(${expression})`,
  shownKey: (key) => key,
  parseKey(text, type) {
    const largest = LARGEST[type]
    if (largest !== undefined) {
      if (!INTEGER.test(text)) return undefined
      const number = BigInt(text)
      return number < largest && number >= -largest ? number.toString() : undefined
    }
    return type === 'uuid' ? dashedUuid(text) : text
  },
  exactText: (column) => sql`${column}::text`,
  // Bound to the transaction, not to the session: behind a pooler the session is somebody else's next.
  oneAtATime: async (tx) => {
    await tx.run(sql`select pg_advisory_xact_lock(${LOCK})`)
  },
  deferForeignKeys: async (tx) => {
    await tx.run(sql`set constraints all deferred`)
  },
  overridingIdentity: sql`overriding system value`,
  checkForeignKeys: async (tx) => {
    await tx.rows(sql`set constraints all immediate`)
  },
  // PostgreSQL wants one recursive term that names the table once, hence the lateral union of all steps.
  recursive: (name, columns, seed, steps) => sql`${sql.identifier(name)}(${columns}) as (
    (${seed}) union (select step.* from ${sql.identifier(name)} found cross join lateral (${sql.join(
      steps.map((step) => sql`select ${step.columns} from ${step.table} where ${step.on}`),
      sql` union all `,
    )}) step))`,
  joined: (text, separator) => sql`string_agg(${text}, ${separator})`,
  rowId: { name: 'ctid', type: 'tid' },
  // Foreign keys are checked when the whole statement is done, whatever they defer.
  async deleteTogether(tx, definitions, deletions) {
    const name = (i: number) => sql.identifier(`gone_${i}`)
    const steps = deletions.map(
      ({ table, identity, rows, returning }, i) => sql`${name(i)} as (
        delete from ${tableName(table)} where ${rowValue(identity)} in (${rows}) returning ${returning})`,
    )
    const gone = deletions.map(
      (_, i) => sql`select ${sql.raw(String(i))} as step, ${name(i)}.* from ${name(i)}`,
    )
    const rows = await tx.rows<{
      step: number
    }>(sql`with recursive ${sql.join([...definitions, ...steps], sql`, `)}
      ${sql.join(gone, sql` union all `)}`)
    return deletions.map((_, i) => rows.filter((row) => row.step === i))
  },
  image: (columns) =>
    sql`array[${sql.join(
      columns.map((column) => sql`${sql.identifier(column)}::text`),
      sql`, `,
    )}] as image`,
  readImage: (row) => (row as { image: (string | null)[] }).image,
  cellValue: (cell, type) => sql`cast(${cell} as ${sql.raw(type)})`,
}
