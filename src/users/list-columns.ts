import { type SQL, sql } from 'drizzle-orm'
import type { Site } from '../site/site.ts'
import { anyFlag, type Candidates } from './candidates.ts'
import type { ListField } from './list-fields.ts'
import { isOfUser } from './of-user.ts'
import { unverifiedPrimaryEmail } from './select.ts'

export interface ListColumn {
  /** What is read with the candidate. */
  readonly read?: SQL
  /** What users are sorted by; left out where it is the same. */
  readonly order?: SQL
  /** Returns what is shown of the column that was read, as a member of a JSON object. */
  json(column: SQL): SQL
}

/** Returns the fields that the site has. */
export function listColumns(site: Site, candidates: Candidates): Map<ListField, ListColumn> {
  const { users } = site.tables
  const { dialect } = site.db
  const { type } = site.shape.userKey
  const key = textColumn(sql`${users.key}`)
  const columns = new Map<ListField, ListColumn>([
    ['key', key],
    ['id', { ...key, json: (column) => dialect.shownKeyText(column, type) }],
    ['email', textColumn(unverifiedPrimaryEmail(site))],
    ['kept_because', { json: () => guardNames(site, candidates) }],
    ['addresses', { read: addresses(site), json: (column) => dialect.json(column) }],
  ])
  for (const field of ['username', 'first_name', 'last_name'] as const) {
    if (users[field]) columns.set(field, textColumn(sql`${users[field]}`))
  }
  for (const field of ['last_login', 'date_joined'] as const) {
    if (!users[field]) continue
    const order = sql`${users[field]}`
    const read = dialect.exactText(order, users[field].getSQLType())
    columns.set(field, { read, order, json: dialect.instantText })
  }
  for (const field of ['is_active', 'is_staff'] as const) {
    if (users[field]) columns.set(field, { read: sql`${users[field]}`, json: (flag) => jsonFlag(site, flag) })
  }
  return columns
}

function textColumn(expression: SQL): ListColumn {
  return { read: sql`cast(${expression} as text)`, json: (column) => column }
}

function jsonFlag({ db }: Site, flag: SQL): SQL {
  return db.dialect.json(sql`case when ${flag} then 'true' when not ${flag} then 'false' end`)
}

/** Several edges may have the same guard. */
function guardNames({ db }: Site, candidates: Candidates): SQL {
  const guards = [...new Set(candidates.flags.map(({ guard }) => guard))]
  if (guards.length === 0) return db.dialect.json(sql`'[]'`)
  const names = guards.map(
    (guard) => sql`case when ${anyFlag(candidates, guard)} then ${sql.raw(`',"${guard}"'`)} else '' end`,
  )
  return db.dialect.json(sql`'[' || substr(${sql.join(names, sql` || `)}, 2) || ']'`)
}

function addresses(site: Site): SQL {
  const { db, shape, tables } = site
  const { emailAddresses: address } = tables
  const flag = (column: SQL) => db.dialect.json(sql`case when ${column} then 'true' else 'false' end`)
  const each = db.dialect.jsonObject([
    ['email', sql`cast(${address.email} as text)`],
    ['verified', flag(db.dialect.mayBeTrue(sql`${address.verified}`))],
    ['primary', flag(sql`${address.primary}`)],
  ])
  return sql`(select '[' || coalesce(${db.dialect.joined(sql`line`, ',')}, '') || ']' from (
    select ${each} as line from ${address} where ${isOfUser(site, shape.emailAddresses)}
    order by ${address.id}) sorted)`
}
