import { type SQL, sql } from 'drizzle-orm'
import { dashedUuid } from '../../django/uuid.ts'
import type { DeletionOf, Dialect } from '../dialect.ts'
import { ownName, rowValue, tableName } from '../identifiers.ts'
import { joinedLines } from '../joined-lines.ts'
import type { Db } from '../port.ts'
import { withRecursive } from '../with-recursive.ts'
import { postgresCatalog, postgresSchemaMark } from './catalog.ts'
import { postgresKit } from './kit.ts'
import { postgresRecursive } from './recursive.ts'
import { postgresScanSeconds } from './scan-seconds.ts'
import { advanceSequences } from './sequences.ts'
import { postgresWithoutRight } from './without-right.ts'

const INTEGER = /^-?\d{1,19}$/
/** Any number will do that nobody else takes: the first letters of the name. */
const LOCK = 0x75736d67
/** Shorter than the server's `deadlock_timeout`: in a deadlock it is not the site that loses. */
const LOCK_PATIENCE = '500ms'

/** Of a million users, two in three fit as keys of a hash table (PostgreSQL 15). */
const WORK_MEMORY = '32MB'

/** V8 keeps longer texts apart, and clears them away late. */
const BYTES_IN_TEXT = 32_000

const LARGEST: Record<string, bigint> = { smallint: 2n ** 15n, integer: 2n ** 31n, bigint: 2n ** 63n }

export const postgresDialect: Dialect = {
  name: 'postgres',
  kit: postgresKit,
  parallel: true,
  // A merge join with the addresses begins with the first of them, whatever the range of users.
  pagesByKeyRange: false,
  forUpdate: sql`for update`,
  // Counted there: to hand over a row for each takes as long as to lock it.
  lockRows: async (tx, table, where, order, definitions = []) => {
    await tx.rows(sql`${withRecursive(definitions)}select count(*) from (
      select 1 from ${table} where ${where} order by ${order} for update) locked`)
  },
  // Unless the administrator has said how long.
  waitBriefly: async (tx) => {
    await tx.rows(sql`select set_config('lock_timeout', ${LOCK_PATIENCE}, true)
      where current_setting('lock_timeout') = '0'`)
  },
  workInMemory: async (tx) => {
    await tx.rows(sql`select set_config('work_mem', ${WORK_MEMORY}, true)
      where pg_size_bytes(current_setting('work_mem')) < pg_size_bytes(${WORK_MEMORY})`)
  },
  changeMark: async () => undefined,
  // The view of these numbers takes several times as long.
  async changedRows(tx) {
    const [found] = await tx.rows<{ changes: string }>(sql`
      select sum(pg_stat_get_xact_tuples_deleted(oid) + pg_stat_get_xact_tuples_updated(oid)) as changes
      from pg_class where relkind = 'r'`)
    return Number(found?.changes)
  },
  schemaMark: postgresSchemaMark,
  async secondsAhead(db, time) {
    const [found] = await db.rows<{ seconds: string }>(
      sql`select extract(epoch from ${time.toISOString()}::timestamptz - now()) as seconds`,
    )
    return Number(found?.seconds)
  },
  async triggers(db, tables) {
    // A partition's is one of the whole table, of which each partition has a copy.
    const found = await db.rows<{ namespace: string; table: string; name: string }>(sql`
      select distinct n.nspname as namespace, c.relname as "table", t.tgname as name from pg_trigger t
        join pg_class p on p.oid = t.tgrelid
        join pg_class c on c.oid = case when p.relispartition then pg_partition_root(p.oid) else p.oid end
        join pg_namespace n on n.oid = c.relnamespace
      where not t.tgisinternal and t.tgenabled <> 'D' order by 1, 2, 3`)
    return found.flatMap(({ namespace, table, name }) => {
      const on = tables.find((each) => each.namespace === namespace && each.name === table)
      return on ? [{ table: on.label, name }] : []
    })
  },
  withoutRight: postgresWithoutRight,
  catalog: postgresCatalog,
  among: (expression, texts) => sql`${expression} = any(${sql.param(texts)}::text[])`,
  amongNames: (expression, names) =>
    sql`lower(${expression}) in (select lower(name) from unnest(${sql.param(names)}::text[]) name)`,
  keyAmong: (column, type, keys) => sql`${column} = any(${sql.param(keys)}::${sql.raw(type)}[])`,
  keyRows: (type, keys) => sql`select unnest(${sql.param(keys)}::${sql.raw(type)}[])`,
  foldCase: (expression) => sql`lower(${expression})`,
  sha256: (text) => sql`encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`,
  // A domain of booleans has a name of its own.
  isFlag: (type) => !/^(smallint|integer|bigint|numeric|character|text)/.test(type),
  // As texts, `26 Nov` would come before `3 Jan`.
  isTime: (type) =>
    !/^(smallint|integer|bigint|numeric|real|double|boolean|character|bpchar|text|citext|time )/.test(type),
  typeFamily(type) {
    if (type in LARGEST) return 'integer'
    if (type === 'citext') return 'caseless'
    if (type === 'uuid') return type
    if (/^(character varying|text)\b/.test(type)) return 'text'
    return /^(character|bpchar)\b/.test(type) ? 'fixed text' : undefined
  },
  shownKey: (key) => key,
  shownKeyText: (key) => key,
  parseKey(text, type) {
    const largest = LARGEST[type]
    if (largest !== undefined) {
      if (!INTEGER.test(text)) return undefined
      const number = BigInt(text)
      return number < largest && number >= -largest ? number.toString() : undefined
    }
    return type === 'uuid' ? dashedUuid(text) : text
  },
  exactText,
  // Bound to the transaction, not to the session: behind a pooler the session is somebody else's next.
  oneAtATime: async (tx) => {
    await tx.run(sql`select pg_advisory_xact_lock(${LOCK})`)
  },
  deferForeignKeys: async (tx) => {
    await tx.run(sql`set constraints all deferred`)
  },
  overridingIdentity: sql`overriding system value`,
  advanceSequences,
  checkForeignKeys: async (tx) => {
    await tx.rows(sql`set constraints all immediate`)
  },
  checkKeysAtOnce: async (tx, { deferrableKeys }) => {
    await tx.run(sql`set constraints ${sql.raw(deferrableKeys.join(', '))} immediate`)
  },
  nullOf: ({ type, collation }) =>
    sql.raw(`cast(null as ${type})${collation ? ` collate ${collation}` : ''}`),
  recursive: postgresRecursive,
  jsonList: (text, where = sql`true`) => sql`coalesce(json_agg(${text}) filter (where ${where})::text, '[]')`,
  joined: (text, separator) => sql`string_agg(${text}, ${separator}::text)`,
  // Unlike json_build_object(), it puts no spaces in between.
  jsonObject: (members) => {
    const columns = members.map(([name, value]) => sql`${value} as ${sql.identifier(name)}`)
    return sql`(select row_to_json(line)::text from (select ${sql.join(columns, sql`, `)}) line)`
  },
  jsonText: (text) => sql`to_json(${text})::text`,
  json: (text) => sql`(${text})::json`,
  isInstant: () => sql`true`,
  mayBeTrue: (flag) => flag,
  instantText,
  // https://www.postgresql.org/docs/current/sql-createindex.html: not on partitioned tables.
  createIndex: ({ partitioned }) => (partitioned ? 'CREATE INDEX' : 'CREATE INDEX CONCURRENTLY'),
  scanSeconds: postgresScanSeconds,
  rowIdsOf: ({ partitioned }) => {
    const place = { name: 'ctid', type: 'tid' }
    // Each partition has rows at the same places.
    return partitioned ? [{ name: 'tableoid', type: 'oid' }, place] : [place]
  },
  // To hand over a row at a time would take longer than to delete it; one long text for all would lie about in memory.
  async deleteInLines(tx, { keys, table, which, line, take }) {
    const { definitions, condition } = which(keys)
    const deletion = sql`gone as (
      delete from ${tableName(table)} where ${condition} returning ${postgresDialect.image(line.columns)} as image)`
    const before = withRecursive([...definitions, deletion])
    const parts = await tx.rows<{ rows: string; lines: string }>(sql`${before}
      select count(*) as rows, ${joinedLines(postgresDialect, line, sql`image`)} as lines
      from (select image, sum(octet_length(image)) over (rows unbounded preceding)
        / ${sql.raw(String(BYTES_IN_TEXT))} as part from gone) numbered
      group by part`)
    for (const { lines } of parts) take(lines)
    return parts.reduce((sum, { rows }) => sum + Number(rows), 0)
  },
  // Foreign keys are checked when the whole statement is done, whatever they defer.
  async deleteTogether<T extends object>(
    tx: Db,
    definitions: readonly SQL[],
    deletions: readonly DeletionOf[],
  ) {
    const name = (i: number) => ownName(`gone_${i}`)
    const steps = deletions.map(
      ({ table, identity, rows, returning }, i) => sql`${name(i)} as (
        delete from ${tableName(table)} where ${rowValue(identity)} in (${rows}) returning ${returning})`,
    )
    const gone = deletions.map(
      (_, i) => sql`select ${sql.raw(String(i))} as step, ${name(i)}.* from ${name(i)}`,
    )
    const rows = await tx.rows<T & { step: number }>(
      sql`${withRecursive([...definitions, ...steps])}${sql.join(gone, sql` union all `)}`,
    )
    return deletions.map((_, i) => rows.filter((row) => row.step === i))
  },
  image: (columns) =>
    sql`array_to_json(array[${sql.join(
      columns.map(({ name, type }) => exactText(sql`${sql.identifier(name)}`, type)),
      sql`, `,
    )}])::text`,
  fromImages: (images, places) =>
    sql`select ${sql.join(
      places.map(({ at, type }) => sql`cast(image->>${sql.raw(String(at))} as ${sql.raw(type)})`),
      sql`, `,
    )} from jsonb_array_elements(${images}::jsonb) images(image)`,
  cellValue: (cell, type) => sql`cast(${cell} as ${sql.raw(type)})`,
}

/** Of a `bpchar` without a length, a cast would drop the blanks at the end, which are its own. */
function exactText(column: SQL, type: string): SQL {
  return type === 'bpchar' ? sql`bpcharout(${column})::text` : sql`${column}::text`
}

/** Django's timestamps come with six digits or none; whatever else a column may hold takes the long way. */
function instantText(text: SQL): SQL {
  return sql`case when length(${text}) in (22, 29) and ${text} like '____-__-__ __:__:__%+00'
    then replace(left(${text}, -3), ' ', 'T') || 'Z'
    when ${text} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([+]00)?$'
    then replace(substr(${text}, 1, 19), ' ', 'T') ||
      coalesce('.' || rpad(substring(${text} from '[.]([0-9]+)'), 6, '0'), '') || 'Z'
    else ${text} end`
}
