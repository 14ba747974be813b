import { gt, lt, type SQL, sql } from 'drizzle-orm'
import { withRecursive } from '../db/with-recursive.ts'
import type { Site } from '../site/site.ts'
import { CANDIDATE, type Candidates, candidatesOf, type GuardCounts, guardCounts } from './candidates.ts'
import type { Criteria } from './criteria.ts'
import type { KeptCounts } from './kept-counts.ts'
import { keyList, keySlices, keysOf } from './key-slices.ts'
import { listColumns } from './list-columns.ts'
import type { ListField, SortField } from './list-fields.ts'
import { neededColumn } from './select.ts'

/** Many enough that a page costs little, few enough that memory stays flat. */
const PAGE = 5_000

/** While one page is printed, a server can already look for the next. */
export const PAGES_AT_ONCE = 2

export interface ListRequest {
  readonly criteria: Criteria
  readonly fields: readonly ListField[]
  readonly sort?: { readonly field: SortField; readonly descending: boolean } | undefined
  readonly show: 'all' | 'kept' | 'deletable'
}

/** How the candidates divide. */
export interface Tally {
  readonly matched: number
  readonly deletable: number
  readonly kept: KeptCounts
}

/** Users in the order asked for, each a JSON object in a line of its own. */
export interface ListPage {
  readonly users: number
  readonly lines: string
}

/** As it comes from the database. */
export interface ReadPage extends ListPage {
  /** With it all candidates have been read, shown or not. */
  readonly isLast: boolean
  /** How the candidates of this page divide, shown or not; undefined unless asked for: to count takes a while. */
  readonly tally: Tally | undefined
}

interface PageRow extends Readonly<Record<string, unknown>> {
  readonly read: unknown
  readonly last: string | null
  readonly shown: unknown
  readonly lines: string | null
}

/**
 * Reads the candidates page after page. The database writes the lines: to take over a row at a time takes longer than
 * to find them.
 */
export class ListPages {
  private readonly site: Site
  private readonly request: ListRequest
  private readonly candidates: Candidates
  private readonly columns: readonly SQL[]
  private readonly line: SQL
  private readonly shown: SQL
  private readonly counts: GuardCounts | undefined
  private readonly sort: SQL | undefined
  private hasEnded = false
  private last: string | undefined
  private slices: Promise<string[]> | undefined

  constructor(site: Site, request: ListRequest, { tallies }: { readonly tallies: boolean }) {
    const candidates = candidatesOf(site, request.criteria)
    const columns = listColumns(site, candidates)
    const named = request.fields.map((field) => ({
      field,
      name: sql`${sql.identifier(`listed_${field}`)}`,
      ...columns.get(field),
    }))
    const sorted = request.sort?.field
    this.site = site
    this.request = request
    this.candidates = candidates
    this.counts = tallies ? guardCounts(candidates) : undefined
    this.columns = named.flatMap(({ read, name }) => (read ? [sql`${read} as ${name}`] : []))
    this.line = site.db.dialect.jsonObject(
      named.map(({ field, json, name }) => [field, json ? json(name) : sql`null`]),
    )
    this.shown =
      request.show === 'all'
        ? sql`true`
        : request.show === 'kept'
          ? candidates.isKept
          : sql`not (${candidates.isKept})`
    if (sorted && sorted !== 'id') {
      const column = columns.get(sorted)
      if (!column) neededColumn(site, sorted, 'sort by it')
      this.sort = column?.order ?? column?.read
    }
  }

  /** How many pages may be asked for before one is used up: not where there is one connection for everything. */
  get ahead(): number {
    return this.site.db.dialect.parallel ? PAGES_AT_ONCE : 0
  }

  /** Returns the next users, fewer where not all candidates are shown; undefined after the last. */
  async next(): Promise<ReadPage | undefined> {
    return this.pagesByKeyRange ? this.nextRange() : this.nextSlice()
  }

  private get pagesByKeyRange(): boolean {
    return this.sort === undefined && this.site.db.dialect.pagesByKeyRange
  }

  private async nextRange(): Promise<ReadPage | undefined> {
    if (this.hasEnded) return undefined
    const { users } = this.site.tables
    const down = this.request.sort?.descending
    const beyond = this.last === undefined ? undefined : (down ? lt : gt)(users.key, this.last)
    const page = await this.read(beyond, sql`limit ${sql.raw(String(PAGE))}`)
    this.last = page.last ?? undefined
    this.hasEnded = Number(page.read) < PAGE
    return this.page(page, this.hasEnded)
  }

  /** Who comes first, second, … is found once: to sort anew for each page would take far longer. */
  private async nextSlice(): Promise<ReadPage | undefined> {
    const { shape, tables, db } = this.site
    this.slices ??= this.keysInOrder()
    const slices = await this.slices
    const slice = slices.shift()
    if (slice === undefined) return undefined
    // Only those to be shown have been sorted.
    const isLast = slices.length === 0 && this.request.show === 'all'
    const isAmong = db.dialect.keyAmong(sql`${tables.users.key}`, shape.userKey.type, keysOf(slice))
    return this.page(await this.read(isAmong), isLast)
  }

  private async keysInOrder(): Promise<string[]> {
    const key = sql`${sql.identifier(this.site.shape.userKey.name)}`
    const definitions = this.candidates.definitions({
      columns: this.sort && [sql`${this.sort} as sorted_by`],
    })
    const [row] = await this.ask<{ keys: string | null }>(sql`
      ${withRecursive(definitions)}
      select ${keyList(this.site.db.dialect, key)} as keys
      from (select ${key} from ${CANDIDATE} where ${this.shown} order by ${this.orderBy(this.sort && sql`sorted_by`, key)}) sorted`)
    return keySlices(row?.keys ?? null, PAGE)
  }

  /** The expression `candidate` keeps its rows in the order in which it was filled: to sort the lines would cost a tenth. */
  private async read(and: SQL | undefined, cut = sql``): Promise<PageRow> {
    const { db, shape, tables } = this.site
    const { columns } = this
    const key = sql`${sql.identifier(shape.userKey.name)}`
    const page = sql`order by ${this.orderBy(this.sort, sql`${tables.users.key}`)} ${cut}`
    const [row] = await this.ask<PageRow>(sql`
      ${withRecursive(this.candidates.definitions({ and, page, columns }))}
      select count(*) as "read", count(*) filter (where ${this.shown}) as shown,
        (select cast(${key} as text) as last_key from ${CANDIDATE} order by ${key}${this.lastFirst} limit 1) as last,
        ${db.dialect.joined(this.line, '\n')} filter (where ${this.shown}) as lines${this.counted}
      from ${CANDIDATE}`)
    if (!row) throw new Error('an aggregate without a row')
    return row
  }

  private get counted(): SQL {
    if (!this.counts) return sql``
    return sql`, count(*) filter (where not (${this.candidates.isKept})) as deletable${this.counts.columns}`
  }

  private page(row: PageRow, isLast: boolean): ReadPage {
    const { read, deletable, shown, lines } = row
    const kept = this.counts?.read(row)
    const tally = kept && { matched: Number(read), deletable: Number(deletable), kept }
    return { users: Number(shown), lines: lines ?? '', isLast, tally }
  }

  /** In a transaction, where instants print in UTC. */
  private ask<T extends object>(query: SQL): Promise<T[]> {
    return this.site.db.transaction('read', (tx) => tx.rows<T>(query))
  }

  /** NULLs come last. */
  private orderBy(sort: SQL | undefined, key: SQL): SQL {
    return sort ? sql`(${sort}) is null, ${sort}${this.down}, ${key}` : sql`${key}${this.down}`
  }

  private get down(): SQL {
    return this.request.sort?.descending ? sql` desc` : sql``
  }

  private get lastFirst(): SQL {
    return this.request.sort?.descending ? sql`` : sql` desc`
  }
}
