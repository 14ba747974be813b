import { and, gt, lt, type SQL, sql } from 'drizzle-orm'
import { groupBy } from '../db/group-by.ts'
import { instantFromText } from '../django/datetime.ts'
import type { Site } from '../site/site.ts'
import { anyFlag, type Candidates, candidatesOf, isTrue } from './candidates.ts'
import type { Criteria, GuardName } from './criteria.ts'
import { withNamedUsers } from './identify.ts'
import { selectionSteps, unverifiedPrimaryEmail } from './select.ts'

export const LIST_FIELDS = [
  'id',
  'username',
  'email',
  'last_login',
  'date_joined',
  'kept_because',
  'first_name',
  'last_name',
  'is_active',
  'is_staff',
  'addresses',
] as const
export type ListField = (typeof LIST_FIELDS)[number]
export const DEFAULT_FIELDS: readonly ListField[] = LIST_FIELDS.slice(0, 6)
export const SORT_FIELDS = ['id', 'username', 'email', 'last_login', 'date_joined'] as const
export type SortField = (typeof SORT_FIELDS)[number]

export interface ListedAddress {
  readonly email: string
  readonly verified: boolean
  readonly primary: boolean
}

/** One candidate with the fields asked for; null where the user model has no such column, or the database holds NULL. */
export type ListedUser = {
  readonly [F in ListField]?: F extends 'kept_because'
    ? readonly GuardName[]
    : F extends 'addresses'
      ? readonly ListedAddress[]
      : F extends 'is_active' | 'is_staff'
        ? boolean | null
        : string | null
}

export interface ListRequest {
  readonly criteria: Criteria
  readonly fields: readonly ListField[]
  readonly sort?: { readonly field: SortField; readonly descending: boolean } | undefined
  readonly show: 'all' | 'kept' | 'deletable'
}

/** How the candidates divide. A user whom two guards keep counts for both. */
export interface Tally {
  readonly matched: number
  readonly deletable: number
  readonly kept: Readonly<Partial<Record<GuardName, number>>>
}

/** Many enough that a page costs little, few enough that memory stays flat. */
const PAGE = 10_000

/**
 * Yields the candidates in the order asked for (by key when none), a page at a time: one long read would keep a
 * SQLite site from writing for as long as the output takes.
 */
export async function* listUsers(site: Site, asked: ListRequest): AsyncGenerator<ListedUser> {
  const request = { ...asked, criteria: await withNamedUsers(site, asked.criteria) }
  const pages = new Pages(site, request)
  let left = request.criteria.selection.limit ?? Number.POSITIVE_INFINITY
  for (let page = await pages.next(); page.length > 0; page = await pages.next()) {
    for (const user of page) {
      if (left === 0) return
      if (!isShown(user.guards, request.show)) continue
      left -= 1
      yield user.listed
    }
    if (left === 0 || pages.isLast) return
  }
}

function isShown(guards: readonly GuardName[], show: ListRequest['show']): boolean {
  return show === 'all' || (show === 'kept') === guards.length > 0
}

interface PageUser {
  readonly guards: readonly GuardName[]
  readonly listed: ListedUser
}

type Row = Record<string, unknown>

class Pages {
  isLast = false
  private readonly site: Site
  private readonly request: ListRequest
  private readonly candidates: Candidates
  private readonly columns: ReadonlyMap<ListField, ListColumn>
  private readonly sort: SQL | undefined
  private last: { readonly key: string; readonly sort: unknown } | undefined

  constructor(site: Site, request: ListRequest) {
    this.site = site
    this.request = request
    this.candidates = candidatesOf(site, request.criteria)
    this.columns = listColumns(site)
    const field = request.sort?.field
    this.sort = field && field !== 'id' ? this.columns.get(field)?.expression : undefined
  }

  /** Returns the next users with the guards that keep them; empty after the last. */
  async next(): Promise<PageUser[]> {
    const rows = await this.site.db.rows<Row>(this.query())
    this.isLast = rows.length < PAGE
    const end = rows.at(-1)
    if (end) this.last = { key: String(end.page_key), sort: end.page_sort }
    const wantsAddresses = this.request.fields.includes('addresses')
    const addresses = wantsAddresses
      ? await addressesOf(
          this.site,
          rows.map((row) => String(row.page_key)),
        )
      : undefined
    return rows.map((row) => this.read(row, addresses))
  }

  private query(): SQL {
    const { users } = this.site.tables
    const { dialect } = this.site.db
    const key = sql`${users.key}`
    const down = this.request.sort?.descending ? sql` desc` : sql``
    const order = this.sort ? sql`(${this.sort}) is null, ${this.sort}${down}, ${key}` : sql`${key}${down}`
    const fields = this.request.fields.flatMap((field) => {
      const column = this.columns.get(field)
      return column ? [sql`, ${column.expression} as ${sql.identifier(`field_${field}`)}`] : []
    })
    const pageSort = this.sort ? sql`, ${dialect.exactText(this.sort)} as page_sort` : sql``
    const page = sql`order by ${order} limit ${sql.raw(String(PAGE))}`
    const name = sql.identifier(this.site.shape.userKey.name)
    return sql`with recursive ${sql.join(this.candidates.definitions({ and: this.after(), page }), sql`, `)}
      select candidate.*, cast(${key} as text) as page_key${pageSort}${sql.join(fields)}
      from candidate join ${users} on ${key} = candidate.${name} order by ${order}`
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

  private read(row: Row, addresses: ReadonlyMap<string, ListedAddress[]> | undefined): PageUser {
    const flags = this.candidates.flags.filter((flag) => isTrue(row[flag.name]))
    const guards = [...new Set(flags.map((flag) => flag.guard))]
    const listed = this.request.fields.map((field) => {
      if (field === 'kept_because') return [field, guards]
      if (field === 'addresses') return [field, addresses?.get(String(row.page_key)) ?? []]
      const value = row[`field_${field}`] ?? null
      return [field, value === null ? null : (this.columns.get(field)?.read(value) ?? null)]
    })
    return { guards, listed: Object.fromEntries(listed) }
  }
}

interface ListColumn {
  readonly expression: SQL
  readonly read: (value: unknown) => string | boolean
}

function listColumns(site: Site): Map<ListField, ListColumn> {
  const { users } = site.tables
  const { dialect } = site.db
  const { type } = site.shape.userKey
  const columns = new Map<ListField, ListColumn>([
    [
      'id',
      { expression: sql`cast(${users.key} as text)`, read: (value) => dialect.shownKey(String(value), type) },
    ],
    ['email', { expression: unverifiedPrimaryEmail(site), read: String }],
  ])
  for (const field of ['username', 'first_name', 'last_name'] as const) {
    if (users[field]) columns.set(field, { expression: sql`${users[field]}`, read: String })
  }
  for (const field of ['last_login', 'date_joined'] as const) {
    const column = users[field]
    if (column)
      columns.set(field, { expression: sql`${column}`, read: (value) => instantFromText(String(value)) })
  }
  for (const field of ['is_active', 'is_staff'] as const) {
    if (users[field]) columns.set(field, { expression: sql`${users[field]}`, read: isTrue })
  }
  return columns
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

/** Returns how the candidates divide, counted in one statement. The limit does not apply. */
export async function tally(site: Site, criteria: Criteria): Promise<Tally> {
  const candidates = candidatesOf(site, await withNamedUsers(site, criteria))
  const count = (which: SQL) => sql`count(*) filter (where ${which})`
  const guards = [...new Set(candidates.flags.map((flag) => flag.guard))]
  const columns = guards.map(
    (guard, i) => sql`, ${count(anyFlag(candidates, guard))} as ${sql.identifier(`guard_${i}`)}`,
  )
  const [row = {}] = await site.db.rows<Row>(sql`with recursive ${sql.join(candidates.definitions(), sql`, `)}
    select count(*) as matched, ${count(sql`not (${candidates.isKept})`)} as deletable${sql.join(columns)} from candidate`)
  const kept = guards.map((guard, i): [GuardName, number] => [guard, Number(row[`guard_${i}`])])
  return {
    matched: Number(row.matched),
    deletable: Number(row.deletable),
    kept: Object.fromEntries(kept.filter(([, number]) => number > 0)),
  }
}

/** Returns one sentence for each condition of the selection, with how many users remain: why nothing matched. */
export async function explainNothing(site: Site, criteria: Criteria): Promise<string[]> {
  const { users } = site.tables
  const { selection } = await withNamedUsers(site, criteria)
  const total = await site.db.$count(users)
  const sentences = [`${total} users in ${site.shape.users.label}`]
  const conditions: SQL[] = []
  for (const { remaining, condition } of selectionSteps(site, selection)) {
    conditions.push(condition)
    const left = await site.db.$count(users, and(...conditions))
    sentences.push(`${left} ${remaining}`)
    if (left === 0) break
  }
  return sentences
}
