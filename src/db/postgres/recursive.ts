import { type SQL, sql } from 'drizzle-orm'
import type { RecursiveColumn, RecursiveStep } from '../dialect.ts'
import { ownName, RING } from '../identifiers.ts'

/** Types that have a hash, those of most keys; whatever else there is can be carried as text. */
const HASHED =
  /^(smallint|integer|bigint|numeric|text|character|uuid|boolean|date|time|timestamp|bytea|inet|cidr)\b/

const CARRIED = ownName('carried')

/**
 * PostgreSQL wants one recursive term that names the table once, hence the lateral union of all steps; and a type that
 * has a hash, which not all keys have: those are carried as text.
 */
export function postgresRecursive(
  name: SQL,
  columns: readonly RecursiveColumn[],
  seed: SQL,
  steps: readonly RecursiveStep[],
): SQL {
  const names = list(columns.map(({ name }) => name))
  const step = sql.join(
    steps.map((each) => sql`select ${each.columns} from ${each.table} where ${each.on}`),
    sql` union all `,
  )
  if (columns.every(hasHash)) {
    return sql`${name}(${names}) as (
      (${seed}) union (select step.* from ${name} ${RING} cross join lateral (${step}) step))`
  }
  const cast = (from: SQL, to: (type: string) => string) =>
    list(
      columns.map((column) =>
        hasHash(column)
          ? sql`${from}.${column.name}`
          : sql`cast(${from}.${column.name} as ${sql.raw(to(column.type))}) as ${column.name}`,
      ),
    )
  const carried = (from: SQL) => cast(from, () => 'text')
  const read = sql`select ${cast(CARRIED, (type) => type)} from ${CARRIED}`
  return sql`${name}(${names}) as (with recursive ${CARRIED}(${names}) as (
    (select ${carried(sql`seed`)} from (${seed}) seed(${names})) union
    (select ${carried(sql`step`)} from (${read}) ${RING} cross join lateral (${step}) step(${names}))) ${read})`
}

function hasHash({ type }: RecursiveColumn): boolean {
  return HASHED.test(type)
}

function list(parts: readonly SQL[]): SQL {
  return sql.join([...parts], sql`, `)
}
