import { sql } from 'drizzle-orm'
import {
  assembleCatalog,
  type Catalog,
  type ColumnRow,
  type DeleteAction,
  type ForeignKeyRow,
} from '../catalog.ts'
import type { Db } from '../port.ts'

const ACTIONS: Record<string, DeleteAction> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
}

/** A dot within a name is none between two. */
function inLabel(name: string) {
  return sql.raw(`case when strpos(${name}, '.') > 0 then '"' || ${name} || '"' else ${name} end`)
}

/** Ordinary and partitioned tables of people's schemas; partitions answer through their parent. */
const TABLES = sql`(
  select c.oid, n.nspname as schema, c.relname as name, pg_table_is_visible(c.oid) as visible,
    c.relkind = 'r' and exists (select 1 from pg_inherits i where i.inhparent = c.oid) as extended,
    c.relkind = 'p' as partitioned,
    exists (select 1 from pg_rewrite r where r.ev_class = c.oid and r.ev_enabled <> 'D') as ruled,
    case when pg_table_is_visible(c.oid) then '' else ${inLabel('n.nspname')} || '.' end || ${inLabel('c.relname')} as label
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'
) t`

/** Of pairs of columns that compare differently, by what the referenced one does. */
const COLLATIONS = sql`array(
  select case when a.attcollation <> r.attcollation and 0 not in (a.attcollation, r.attcollation)
    then format('%I.%I', n.nspname, o.collname) end
  from unnest(k.conkey, k.confkey) with ordinality u(number, referenced, position)
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number
  join pg_attribute r on r.attrelid = k.confrelid and r.attnum = u.referenced
  left join pg_collation o on o.oid = r.attcollation left join pg_namespace n on n.oid = o.collnamespace
  order by u.position)`

/** As JSON, for a server older than PostgreSQL 15 has no such column. */
const CLEARED = `array(select jsonb_array_elements_text(nullif(to_jsonb(k)->'confdelsetcols', 'null'))::int2)`

/** Returns the tables, foreign keys and indexes of the database (PostgreSQL manual, System Catalogs). */
export async function postgresCatalog(db: Db): Promise<Catalog> {
  const mark = await postgresSchemaMark(db)
  const columns = await db.rows<ColumnRow & { visible: boolean; namespace: string }>(sql`
    select t.label, t.visible, t.schema as namespace, t.name as "table", t.extended, t.partitioned, t.ruled, a.attname as name,
      array(select format('%I.%I', t.schema, u.conname) from pg_constraint u
        where u.conrelid = t.oid and u.contype in ('p', 'u', 'x') and u.condeferrable) as "deferrableKeys",
      format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
      a.attgenerated <> '' as generated,
      a.atthasdef or a.attidentity <> '' as filled,
      case when a.attcollation <> y.typcollation then format('%I.%I', p.nspname, o.collname) end as collation,
      coalesce(array_position(k.conkey, a.attnum), 0) as "keyPosition"
    from ${TABLES}
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid
    left join pg_collation o on o.oid = a.attcollation left join pg_namespace p on p.oid = o.collnamespace
    left join pg_constraint k on k.conrelid = t.oid and k.contype = 'p'
    order by t.label, a.attnum`)
  const foreignKeys = await db.rows<ForeignKeyRow & { action: string }>(sql`
    select label, "references", action, columns, "referencedColumns", collations, clears from (
      select distinct on (t.label, r.label, action, columns, "referencedColumns", clears) t.label, r.label as references,
        k.confdeltype as action, ${names('k.conrelid', 'k.conkey')} as columns,
        ${names('k.confrelid', 'k.confkey')} as "referencedColumns", ${names('k.conrelid', CLEARED)} as clears,
        ${COLLATIONS} as collations, k.conname as name
      from pg_constraint k join ${TABLES} on t.oid = ${wholeTable('k.conrelid')}
      join (select * from ${TABLES}) r on r.oid = ${wholeTable('k.confrelid')}
      where k.contype = 'f' and k.conparentid = 0
      order by t.label, r.label, action, columns, "referencedColumns", clears, k.conname) found
    order by label, name`)
  const indexes = await db.rows<{ label: string; columns: string[] }>(sql`
    select t.label, ${names('i.indrelid', '(i.indkey::int2[])[0:i.indnkeyatts - 1]')} as columns
    from pg_index i join ${TABLES} on t.oid = i.indrelid
    join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
    where i.indisvalid and i.indpred is null and m.amname in ('btree', 'hash')`)
  const catalog = assembleCatalog({
    columns: columns.map((row) => ({
      ...row,
      schema: row.visible ? undefined : row.namespace,
      collation: row.collation ?? undefined,
    })),
    foreignKeys: foreignKeys.map((row) => ({ ...row, onDelete: ACTIONS[row.action] ?? 'no action' })),
    indexes,
  })
  return { ...catalog, mark }
}

/** Returns what counts the columns and foreign keys of the site's tables; a key made anew has a number of its own. */
export async function postgresSchemaMark(db: Db): Promise<string> {
  const [found] = await db.rows<{ mark: string }>(sql`select concat_ws(' ',
    (select count(*) || ' ' || coalesce(max(oid::bigint), 0) from pg_constraint where contype = 'f'),
    (select sum(relnatts) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')) as mark`)
  return found?.mark ?? ''
}

/** The table itself, or the one that it is a partition of: a partition may have foreign keys of its own. */
function wholeTable(table: string) {
  return sql.raw(`coalesce(pg_partition_root(${table}), ${table})`)
}

/** The names of numbered columns, in order. An expression in an index has number 0 and comes out empty. */
function names(table: string, numbers: string) {
  return sql.raw(`array(
    select coalesce(a.attname::text, '')
    from unnest(${numbers}) with ordinality u(number, position)
    left join pg_attribute a on a.attrelid = ${table} and a.attnum = u.number
    order by u.position)`)
}
