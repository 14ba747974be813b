import { and, type SQL, sql } from 'drizzle-orm'
import { withRecursive } from '../db/with-recursive.ts'
import type { Site } from '../site/site.ts'
import { counted, shownNumber } from '../values/numbers.ts'
import { CANDIDATE, candidatesOf, guardCounts } from './candidates.ts'
import type { Criteria } from './criteria.ts'
import { withNamedUsers } from './identify.ts'
import { addKept } from './kept-counts.ts'
import type { ListedUser } from './list-fields.ts'
import { type ListPage, ListPages, type ListRequest, type ReadPage, type Tally } from './list-pages.ts'
import { selectionSteps } from './select.ts'

/**
 * Yields the candidates in the order asked for (by key when none), a page at a time: one long read would keep a
 * SQLite site from writing for as long as the output takes. A server reads the next page meanwhile. `look` is shown
 * each page that was read, also one without users to show, with its tally.
 */
export async function* listPages(
  site: Site,
  asked: ListRequest,
  look?: (page: ReadPage) => void,
): AsyncGenerator<ListPage> {
  const request = { ...asked, criteria: await withNamedUsers(site, asked.criteria) }
  const pages = new ListPages(site, request, { tallies: look !== undefined })
  let left = request.criteria.selection.limit ?? Number.POSITIVE_INFINITY
  for await (const page of inAdvance(() => pages.next(), pages.ahead)) {
    look?.(page)
    if (page.users > 0) yield firstOf(page, left)
    left -= page.users
    if (left <= 0) return
  }
}

/** Yields what `next` returns until there is no more; so many calls of it are under way while somebody uses one result. */
async function* inAdvance<T>(next: () => Promise<T | undefined>, ahead: number): AsyncGenerator<T> {
  const waiting: Promise<T | undefined>[] = []
  const start = () => {
    const started = next()
    // It is looked at when its turn comes.
    started.catch(() => {})
    waiting.push(started)
  }
  for (;;) {
    while (waiting.length < Math.max(1, ahead)) start()
    const found = await waiting.shift()
    if (found === undefined) return
    while (waiting.length < ahead) start()
    yield found
  }
}

function firstOf(page: ListPage, number: number): ListPage {
  if (page.users <= number) return page
  return { users: number, lines: page.lines.split('\n').slice(0, number).join('\n') }
}

/** Returns the users of a page. */
export function usersIn({ lines }: ListPage): ListedUser[] {
  return JSON.parse(`[${lines.replaceAll('\n', ',')}]`)
}

/** Returns the key of a user who was listed with it. */
export function keyOf({ key }: ListedUser): string {
  if (typeof key !== 'string') throw new Error('a user was listed without the key')
  return key
}

/** As `listPages`, one at a time. */
export async function* listUsers(site: Site, asked: ListRequest): AsyncGenerator<ListedUser> {
  for await (const page of listPages(site, asked)) yield* usersIn(page)
}

/** Adds up how the candidates divide while they are listed: to count them apart takes as long again. */
export class RunningTally {
  private readonly pages: Tally[] = []
  private isWhole = false

  readonly look = ({ tally, isLast }: ReadPage): void => {
    if (tally) this.pages.push(tally)
    this.isWhole = isLast
  }

  /** Undefined while there are candidates that were not listed. */
  get whole(): Tally | undefined {
    return this.isWhole ? this.pages.reduce(added) : undefined
  }
}

function added(one: Tally, other: Tally): Tally {
  return {
    matched: one.matched + other.matched,
    deletable: one.deletable + other.deletable,
    kept: addKept(one.kept, other.kept),
  }
}

/** Returns how the candidates divide, counted in one statement. The limit does not apply. */
export async function tally(site: Site, criteria: Criteria): Promise<Tally> {
  const candidates = candidatesOf(site, await withNamedUsers(site, criteria))
  const kept = guardCounts(candidates)
  const [row = {}] = await site.db.rows<
    Record<string, unknown>
  >(sql`${withRecursive(candidates.definitions())}
    select count(*) as matched, count(*) filter (where not (${candidates.isKept})) as deletable${kept.columns}
    from ${CANDIDATE}`)
  return {
    matched: Number(row.matched),
    deletable: Number(row.deletable),
    kept: kept.read(row),
  }
}

/** Returns one sentence for each condition of the selection, with how many users remain: why nothing matched. */
export async function explainNothing(site: Site, criteria: Criteria): Promise<string[]> {
  const { users } = site.tables
  const { selection } = await withNamedUsers(site, criteria)
  const total = await site.db.$count(users)
  const sentences = [`${counted(total, 'user')} in ${site.shape.users.label}`]
  const conditions: SQL[] = []
  const steps = selectionSteps(site, selection)
  const first = steps.filter((step) => step.isFirst)
  for (const { remaining, condition } of new Set([...first, ...steps])) {
    conditions.push(condition)
    const left = await site.db.$count(users, and(...conditions))
    sentences.push(`${shownNumber(left)} ${remaining}`)
    if (left === 0) break
  }
  return sentences
}
