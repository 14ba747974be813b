import { type SQL, sql } from 'drizzle-orm'
import {
  assembleCatalog,
  type Catalog,
  type Conversion,
  type DeleteAction,
  type ForeignKeyRow,
} from '../catalog.ts'
import { groupBy } from '../group-by.ts'
import { quotedText } from '../identifiers.ts'
import type { Db } from '../port.ts'
import { isTextType } from './kit.ts'

interface TableColumn {
  label: string
  name: string
  type: string
  not_null: bigint
  key_position: bigint
  hidden: bigint
  has_default: bigint
  /** Some column of the table may say COLLATE: only its text tells. */
  collates: bigint
}

interface KeyColumn {
  label: string
  id: bigint
  references: string
  from: string
  to: string | null
  on_delete: string
}

interface IndexColumn {
  label: string
  index_name: string
  name: string | null
  collation: string
  is_unique: bigint
  /** `c`: CREATE INDEX, `u`: a unique constraint, `pk`: the primary key. */
  origin: string
}

/** By which columns compare that say nothing else (https://sqlite.org/datatype3.html#collation). */
const ORDINARY = 'BINARY'

/** Virtual tables and what they keep their data in are left out: asking one whose module is not loaded is an error. */
const TABLES = sql`select name from pragma_table_list
  where schema = 'main' and type = 'table' and name not like 'sqlite\\_%' escape '\\'`

/** Returns what SQLite counts up with every change of the schema. */
export async function sqliteSchemaMark(db: Db): Promise<string> {
  const [found] = await db.rows<{ version: bigint }>(
    sql`select schema_version as version from pragma_schema_version`,
  )
  return String(found?.version)
}

/** Returns the tables, foreign keys and indexes of the main database (https://sqlite.org/pragma.html). */
export async function sqliteCatalog(db: Db): Promise<Catalog> {
  const mark = await sqliteSchemaMark(db)
  const columns = await db.rows<TableColumn>(sql`
    select t.name as label, c.name as name, lower(c.type) as type, c."notnull" as not_null, c.pk as key_position,
      c.hidden as hidden, c.dflt_value is not null as has_default,
      t.name in (select name from sqlite_schema where sql like '%collate%') as collates
    from (${TABLES}) t join pragma_table_xinfo(t.name) c order by t.name, c.cid`)
  const indexes = await db.rows<IndexColumn>(sql`
    select t.name as label, i.name as index_name, c.name as name, c.coll as collation, i."unique" as is_unique,
      i.origin as origin
    from (${TABLES}) t join pragma_index_list(t.name) i join pragma_index_xinfo(i.name) c
    where not i.partial and c.key order by t.name, i.origin = 'c', i.name, c.seqno`)

  const keyed = groupBy(
    columns.filter((column) => column.key_position > 0n),
    (column) => column.label,
  )
  const rowIds = rowIdColumns(keyed, indexes)
  const open = await tablesWithOpenKeys(db, keyed, rowIds)
  const indexed = [...groupBy(indexes, (row) => `${row.label}\n${row.index_name}`).values()]
  const catalog = assembleCatalog({
    columns: columns.map((column) => ({
      label: column.label,
      schema: undefined,
      table: column.label,
      name: column.name,
      type: column.type,
      nullable: column.not_null === 0n && !rowIds.has(column),
      generated: column.hidden > 1n,
      filled: column.has_default === 1n || column.hidden > 1n || rowIds.has(column),
      keyPosition: open.has(column.label) ? 0 : Number(column.key_position),
    })),
    foreignKeys: foreignKeysOf(await keyColumns(db), { columns, keyed, indexed }),
    indexes: indexed.flatMap((parts) => {
      const [first] = parts
      return first ? { label: first.label, columns: parts.map((part) => part.name ?? '') } : []
    }),
  })
  return { ...catalog, mark }
}

function keyColumns(db: Db): Promise<KeyColumn[]> {
  return db.rows<KeyColumn>(sql`
    select t.name as label, k.id as id, k."table" as "references", k."from" as "from", k."to" as "to",
      lower(k.on_delete) as on_delete
    from (${TABLES}) t join pragma_foreign_key_list(t.name) k order by t.name, k.id, k.seq`)
}

/** What foreign keys refer to. */
interface Surroundings {
  readonly columns: readonly TableColumn[]
  /** The columns of each table's primary key. */
  readonly keyed: ReadonlyMap<string, readonly TableColumn[]>
  readonly indexed: readonly (readonly IndexColumn[])[]
}

function foreignKeysOf(
  keys: readonly KeyColumn[],
  { columns, keyed, indexed }: Surroundings,
): ForeignKeyRow[] {
  // Names compare without case in SQLite, and a foreign key may spell its table differently.
  const spelled = new Map(columns.map((column) => [column.label.toLowerCase(), column.label]))
  const collating = new Set(columns.filter(({ collates }) => collates === 1n).map(({ label }) => label))
  return [...groupBy(keys, (key) => `${key.label}\n${key.id}`).values()].flatMap((parts) => {
    const [first] = parts
    if (!first) return []
    const { label } = first
    const references = spelled.get(first.references.toLowerCase()) ?? first.references
    const named = parts.flatMap(({ to }) => (to === null ? [] : spelledColumn(columns, references, to)))
    const referencedColumns = named.length > 0 ? named : primaryKeyOf(keyed.get(references) ?? [])
    const referring = parts.map((part) => spelledColumn(columns, label, part.from))
    return {
      label,
      columns: referring,
      references,
      referencedColumns,
      collations: collationsOf(
        referencedColumns,
        indexed.filter(([index]) => index?.label === references && index.is_unique === 1n),
      ).map((collation) => (collation !== ORDINARY || collating.has(label) ? quotedText(collation) : null)),
      conversions: referring.map((name, i) =>
        conversionOf(typeOf(columns, label, name), typeOf(columns, references, referencedColumns[i] ?? '')),
      ),
      onDelete: first.on_delete as DeleteAction,
    }
  })
}

/** Returns what a foreign key refers to that names no columns. */
function primaryKeyOf(key: readonly TableColumn[]): string[] {
  return [...key].sort((a, b) => Number(a.key_position - b.key_position)).map(({ name }) => name)
}

/** Returns by what the referenced columns compare: so does the index that SQLite looks rows up by, or it would not take it. */
function collationsOf(
  columns: readonly string[],
  unique: readonly (readonly IndexColumn[])[],
): readonly string[] {
  const index = unique.find(
    (parts) => parts.length === columns.length && parts.every(({ name }) => columns.includes(name ?? '')),
  )
  return columns.map((column) => index?.find(({ name }) => name === column)?.collation ?? ORDINARY)
}

/**
 * A foreign key takes the referring value as a column of the referenced one's type would, so that 7 means '7'
 * (https://sqlite.org/foreignkeys.html). Two columns compare otherwise: 7 is '007', or no text at all.
 */
function conversionOf(referring: string, referenced: string): Conversion | undefined {
  return isTextType(referenced) && !isTextType(referring) ? { referring: asText } : undefined
}

/** Bytes stay what they are, in a column of texts too. */
function asText(value: SQL): SQL {
  return sql`case typeof(${value}) when 'blob' then ${value} else cast(${value} as text) end`
}

/**
 * Returns the tables with a NULL in a column of their primary key, which SQLite lets in
 * (https://sqlite.org/lang_createtable.html#the_primary_key): there it does not tell one row from another.
 */
async function tablesWithOpenKeys(
  db: Db,
  keyed: ReadonlyMap<string, readonly TableColumn[]>,
  rowIds: ReadonlySet<TableColumn>,
): Promise<ReadonlySet<string>> {
  const open = new Set<string>()
  for (const [label, key] of keyed) {
    const mayBeNull = key.filter((column) => column.not_null === 0n && !rowIds.has(column))
    if (mayBeNull.length === 0) continue
    const isNull = mayBeNull.map(({ name }) => sql`${sql.identifier(name)} is null`)
    const found = await db.rows(
      sql`select 1 from ${sql.identifier(label)} where ${sql.join(isNull, sql` or `)} limit 1`,
    )
    if (found.length > 0) open.add(label)
  }
  return open
}

/**
 * Returns the columns that stand for the row's own number, which is never NULL: integer keys without an index of their
 * own. WITHOUT ROWID has one, and so has INTEGER PRIMARY KEY DESC (https://sqlite.org/lang_createtable.html#rowid).
 */
function rowIdColumns(
  keyed: ReadonlyMap<string, readonly TableColumn[]>,
  indexes: readonly IndexColumn[],
): ReadonlySet<TableColumn> {
  const indexed = new Set(indexes.filter(({ origin }) => origin === 'pk').map(({ label }) => label))
  const keys = [...keyed.values()].filter((key) => key.length === 1).flat()
  return new Set(keys.filter(({ type, label }) => type === 'integer' && !indexed.has(label)))
}

function spelledColumn(columns: readonly TableColumn[], label: string, name: string): string {
  const found = columns.find(
    (column) => column.label === label && column.name.toLowerCase() === name.toLowerCase(),
  )
  return found?.name ?? name
}

function typeOf(columns: readonly TableColumn[], label: string, name: string): string {
  return columns.find((column) => column.label === label && column.name === name)?.type ?? ''
}
