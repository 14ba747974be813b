import { gt, lt, type SQL, sql } from 'drizzle-orm'
import { groupBy } from '../db/group-by.ts'
import { instantFromText } from '../django/datetime.ts'
import type { Site } from '../site/site.ts'
import { type Candidates, candidatesOf, isTrue } from './candidates.ts'
import type { GuardName } from './criteria.ts'
import type { ListedAddress, ListedUser, ListField, ListRequest } from './list.ts'
import { unverifiedPrimaryEmail } from './select.ts'

/** Many enough that a page costs little, few enough that memory stays flat. */
const PAGE = 5_000

export interface PageUser {
  readonly guards: readonly GuardName[]
  readonly listed: ListedUser
}

/** A user's values: the key, what the page is sorted by, a flag for each guard, the fields. */
type Row = readonly [key: string, sort: string | null, ...values: unknown[]]
const BEFORE_FLAGS = 2

/** Reads the candidates page after page. */
export class ListPages {
  isLast = false
  private readonly site: Site
  private readonly request: ListRequest
  private readonly candidates: Candidates
  private readonly columns: readonly (ListColumn & { readonly field: ListField })[]
  private readonly sort: SQL | undefined
  private last: { readonly key: string; readonly sort: string | null } | undefined

  constructor(site: Site, request: ListRequest) {
    const columns = listColumns(site)
    this.site = site
    this.request = request
    this.candidates = candidatesOf(site, request.criteria)
    this.columns = request.fields.flatMap((field) => {
      const column = columns.get(field)
      return column ? [{ field, ...column }] : []
    })
    const sorted = request.sort?.field
    this.sort = sorted && sorted !== 'id' ? columns.get(sorted)?.expression : undefined
  }

  /** Returns the next users with the guards that keep them; empty after the last. */
  async next(): Promise<PageUser[]> {
    // As one text: to take over a row at a time takes longer than to find them.
    const [found] = await this.site.db.rows<{ page: string | null }>(this.query())
    const rows: Row[] = JSON.parse(found?.page ?? '[]')
    this.isLast = rows.length < PAGE
    const end = rows.at(-1)
    if (end) this.last = { key: end[0], sort: end[1] }
    const addresses = this.request.fields.includes('addresses')
      ? await addressesOf(
          this.site,
          rows.map(([key]) => key),
        )
      : undefined
    return rows.map((row) => this.read(row, addresses?.get(row[0]) ?? []))
  }

  private query(): SQL {
    const { users } = this.site.tables
    const { dialect } = this.site.db
    const key = sql`${users.key}`
    const down = this.request.sort?.descending ? sql` desc` : sql``
    const order = this.sort ? sql`(${this.sort}) is null, ${this.sort}${down}, ${key}` : sql`${key}${down}`
    const page = sql`order by ${order} limit ${sql.raw(String(PAGE))}`
    const name = sql.identifier(this.site.shape.userKey.name)
    const values = [
      sql`cast(${key} as text)`,
      this.sort ? dialect.exactText(this.sort) : sql`null`,
      ...this.candidates.flags.map((flag) => sql`candidate.${sql.identifier(flag.name)}`),
      ...this.columns.map((column) => column.value),
    ]
    return sql`with recursive ${sql.join(this.candidates.definitions({ and: this.after(), page }), sql`, `)}
      select ${dialect.jsonRows(values, order)} as page from candidate join ${users} on ${key} = candidate.${name}`
  }

  /** The condition that a user comes after the last one of the page before. NULLs come last. */
  private after(): SQL | undefined {
    if (!this.last) return undefined
    const { users } = this.site.tables
    const { descending = false } = this.request.sort ?? {}
    const key = sql`${users.key}`
    if (!this.sort) return descending ? lt(users.key, this.last.key) : gt(users.key, this.last.key)
    const beyondKey = gt(users.key, this.last.key)
    if (this.last.sort === null) return sql`((${this.sort}) is null and ${beyondKey})`
    const value = sql`${this.last.sort}`
    const beyond = descending ? sql`${this.sort} < ${value}` : sql`${this.sort} > ${value}`
    return sql`((${this.sort}) is null or ${beyond} or (${this.sort} = ${value} and ${beyondKey})) and ${key} is not null`
  }

  private read(row: Row, addresses: readonly ListedAddress[]): PageUser {
    const guards = this.guardsIn(row)
    const listed: Record<string, unknown> = {}
    for (const field of this.request.fields) {
      listed[field] = field === 'kept_because' ? guards : field === 'addresses' ? addresses : null
    }
    const first = BEFORE_FLAGS + this.candidates.flags.length
    for (const [i, { field, read }] of this.columns.entries()) {
      const value = row[first + i] ?? null
      if (value !== null) listed[field] = read(value)
    }
    return { guards, listed: listed as ListedUser }
  }

  /** Most have none, and several edges may have the same one. */
  private guardsIn(row: Row): GuardName[] {
    const guards: GuardName[] = []
    for (const [i, { guard }] of this.candidates.flags.entries()) {
      if (isTrue(row[BEFORE_FLAGS + i]) && !guards.includes(guard)) guards.push(guard)
    }
    return guards
  }
}

interface ListColumn {
  /** What users are sorted by. */
  readonly expression: SQL
  /** What is selected, and how that is read. */
  readonly value: SQL
  readonly read: (value: unknown) => string | boolean
}

function listColumns(site: Site): Map<ListField, ListColumn> {
  const { users } = site.tables
  const { dialect } = site.db
  const { type } = site.shape.userKey
  const key = sql`cast(${users.key} as text)`
  const columns = new Map<ListField, ListColumn>([
    ['id', { expression: key, value: key, read: (value) => dialect.shownKey(String(value), type) }],
    ['email', textColumn(unverifiedPrimaryEmail(site))],
  ])
  for (const field of ['username', 'first_name', 'last_name'] as const) {
    if (users[field]) columns.set(field, textColumn(sql`${users[field]}`))
  }
  for (const field of ['last_login', 'date_joined'] as const) {
    if (!users[field]) continue
    const expression = sql`${users[field]}`
    const value = dialect.exactText(expression)
    columns.set(field, { expression, value, read: (text) => instantFromText(String(text)) })
  }
  for (const field of ['is_active', 'is_staff'] as const) {
    if (!users[field]) continue
    const expression = sql`${users[field]}`
    columns.set(field, { expression, value: expression, read: isTrue })
  }
  return columns
}

function textColumn(expression: SQL): ListColumn {
  return { expression, value: sql`cast(${expression} as text)`, read: String }
}

async function addressesOf(site: Site, keys: readonly string[]): Promise<Map<string, ListedAddress[]>> {
  const { emailAddresses: address } = site.tables
  const rows = await site.db
    .select({
      user: address.user,
      email: address.email,
      verified: address.verified,
      primary: address.primary,
    })
    .from(address)
    .where(site.db.dialect.keyAmong(sql`${address.user}`, site.shape.userKey.type, keys))
    .orderBy(address.id)
  const groups = groupBy(rows, (row) => String(row.user))
  return new Map(
    [...groups].map(([user, own]) => [
      user,
      own.map(({ email, verified, primary }) => ({
        email: String(email),
        verified: verified === true,
        primary: primary === true,
      })),
    ]),
  )
}
