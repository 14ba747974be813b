import { and, desc, eq, exists, gt, inArray, not, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { emailHash } from '../db/email-hash.ts'
import type { Db } from '../db/port.ts'
import type { Instant } from '../django/datetime.ts'
import { UserError } from '../errors.ts'
import { ledgerTables, type ReminderStatus } from '../site/ledger.ts'
import { type Site, shownUserKey } from '../site/site.ts'
import { runsHoldingLocks } from './lock.ts'

/** A run as the ledger has it. Of one whose own record is lost there is nothing but whom it has deleted. */
export interface RecordedRun {
  readonly id: string
  readonly command: string | null
  readonly options: Readonly<Record<string, unknown>>
  readonly actor: string | null
  readonly host: string | null
  readonly version: string | null
  readonly startedAt: Instant | null
  readonly endedAt: Instant | null
  /** `running`: it holds its lock. `unknown`: it never recorded its end. `lost`: its record is not there any more. */
  readonly outcome: string
  /** Of a run without an end: how many it has deleted so far. */
  readonly counts: Readonly<Record<string, unknown>>
  readonly archive: string | null
}

export interface RecordedDeletion {
  /** The id, as people read it. */
  readonly user: string
  readonly emailSha256: string | null
  readonly deletedAt: Instant
}

export interface RecordedReminder {
  /** The id, as people read it. */
  readonly user: string
  readonly emailSha256: string | null
  readonly status: ReminderStatus
  /** What the mail server said. */
  readonly reply: string | null
  readonly attempts: number
  readonly createdAt: Instant
}

/** What is known of a run without its record. */
const LOST: Omit<RecordedRun, 'id' | 'counts'> = {
  command: null,
  options: {},
  actor: null,
  host: null,
  version: null,
  startedAt: null,
  endedAt: null,
  outcome: 'lost',
  archive: null,
}

const PAGE = 10_000
/** What a person may shorten a run's id to, and a pattern cannot be made of. */
const ID = /^[0-9a-f-]{1,36}$/

/** Returns the runs, the latest first, then those that are lost; with an address only those that deleted a user of it. */
export async function listRuns(
  db: Db,
  { limit, email }: { limit: number; email?: string | undefined },
): Promise<RecordedRun[]> {
  const { runs, deletions } = ledgerTables(db.dialect.kit)
  const isTheirs = email === undefined ? undefined : isOfAddress(db, deletions.emailSha256, email)
  const deletedIt =
    isTheirs &&
    exists(
      db
        .select({ one: sql`1` })
        .from(deletions)
        .where(and(eq(deletions.runId, runs.id), isTheirs)),
    )
  const found = await selectRuns(db, deletedIt, limit)
  return [...found, ...(await lostRuns(db, isTheirs, limit - found.length))]
}

/** Returns the run whose id begins like this. Throws a UserError when there is none, or more than one. */
export async function findRun(db: Db, id: string): Promise<RecordedRun> {
  const { runs, deletions } = ledgerTables(db.dialect.kit)
  const start = id.toLowerCase()
  const begins = (id: SQLWrapper) => sql`${id} like ${`${start}%`}`
  let found: RecordedRun[] = []
  if (ID.test(start)) {
    found = await selectRuns(db, begins(runs.id), 2)
    // Only then: it reads all deletions.
    if (found.length === 0) found = await lostRuns(db, begins(deletions.runId), 2)
  }
  const [run] = found
  if (run && found.length === 1) return run
  throw new UserError(run ? `several runs begin with ${id}` : `there is no run "${id}"`, {
    hint: run ? 'give more of its id' : 'see: usermgmt history',
  })
}

/** Yields whom the run has deleted, by id, a page in memory at a time. */
export async function* deletionsOf(
  site: Site,
  runId: string,
  pageSize = PAGE,
): AsyncGenerator<RecordedDeletion> {
  const { db } = site
  const { deletions } = ledgerTables(db.dialect.kit)
  const rows = pagesAfter('', pageSize, async (after) => {
    const page = await db
      .select({
        userKey: sql<string>`${deletions.userKey}`,
        emailSha256: deletions.emailSha256,
        deletedAt: sql<Instant>`${deletions.deletedAt}`.mapWith(deletions.deletedAt),
      })
      .from(deletions)
      .where(and(eq(deletions.runId, runId), gt(deletions.userKey, after)))
      .orderBy(deletions.userKey)
      .limit(pageSize)
    return page.map((row) => ({ row, key: row.userKey }))
  })
  for await (const { userKey, ...deletion } of rows) {
    yield { ...deletion, user: shownUserKey(site, userKey) }
  }
}

/** Yields what has become of the run's reminders, in the order in which they were sent, a page in memory at a time. */
export async function* remindersOf(
  site: Site,
  runId: string,
  pageSize = PAGE,
): AsyncGenerator<RecordedReminder> {
  const { reminders } = site.tables
  const rows = pagesAfter('0', pageSize, async (after) => {
    const page = await site.db
      .select({
        id: sql<string>`${reminders.id}`.mapWith(String),
        userKey: sql<string>`${reminders.userKey}`,
        emailSha256: reminders.emailSha256,
        status: sql<ReminderStatus>`${reminders.status}`,
        reply: reminders.reply,
        attempts: sql<number>`${reminders.attempts}`.mapWith(Number),
        createdAt: sql<Instant>`${reminders.createdAt}`.mapWith(reminders.createdAt),
      })
      .from(reminders)
      .where(and(eq(reminders.runId, runId), gt(reminders.id, after)))
      .orderBy(reminders.id)
      .limit(pageSize)
    return page.map(({ id, ...row }) => ({ row, key: id }))
  })
  for await (const { userKey, ...reminder } of rows) {
    yield { ...reminder, user: shownUserKey(site, userKey) }
  }
}

/** Yields the rows after the start, page after page; `read` returns so many of those after a key, fewer at the end. */
async function* pagesAfter<T>(
  start: string,
  size: number,
  read: (after: string) => Promise<{ row: T; key: string }[]>,
): AsyncGenerator<T> {
  let after: string | undefined = start
  while (after !== undefined) {
    const page = await read(after)
    for (const { row } of page) yield row
    after = page.length < size ? undefined : page.at(-1)?.key
  }
}

async function selectRuns(db: Db, where: SQL | undefined, limit: number): Promise<RecordedRun[]> {
  const { runs } = ledgerTables(db.dialect.kit)
  const rows = await db.select().from(runs).where(where).orderBy(desc(runs.startedAt), runs.id).limit(limit)
  const running = await runsHoldingLocks(db)
  const endless = rows.filter((row) => row.endedAt === null).map((row) => String(row.id))
  const deleted = await deletedBy(db, endless)
  return rows.map((row) => ({
    ...(row as unknown as RecordedRun),
    options: JSON.parse(row.options ?? '{}'),
    counts: row.counts === null ? (deleted.get(String(row.id)) ?? {}) : JSON.parse(row.counts),
    outcome: row.outcome ?? (running.has(String(row.id)) ? 'running' : 'unknown'),
  }))
}

/** Returns the runs that are only known by such deletions, in no order: when they were, only their record could tell. */
async function lostRuns(db: Db, where: SQL | undefined, limit: number): Promise<RecordedRun[]> {
  if (limit <= 0) return []
  const { runs, deletions } = ledgerTables(db.dialect.kit)
  const isRecorded = exists(db.select({ one: sql`1` }).from(runs).where(eq(runs.id, deletions.runId)))
  const rows = await db
    .select({ id: sql<string>`${deletions.runId}` })
    .from(deletions)
    .where(and(where, not(isRecorded)))
    .groupBy(deletions.runId)
    .limit(limit)
  const ids = rows.map(({ id }) => id)
  const deleted = await deletedBy(db, ids)
  return ids.map((id) => ({ ...LOST, id, counts: deleted.get(id) ?? {} }))
}

/** Returns how many users each of the runs has deleted; those that deleted nobody are not there. */
async function deletedBy(db: Db, runIds: readonly string[]): Promise<Map<string, { deleted: number }>> {
  if (runIds.length === 0) return new Map()
  const { deletions } = ledgerTables(db.dialect.kit)
  const rows = await db
    .select({
      runId: sql<string>`${deletions.runId}`,
      deleted: sql<number>`count(*)`.mapWith(Number),
    })
    .from(deletions)
    .where(inArray(deletions.runId, [...runIds]))
    .groupBy(deletions.runId)
  return new Map(rows.map(({ runId, deleted }) => [runId, { deleted }]))
}

/**
 * Returns the condition that the address was this one, as the database has recorded it. Not every database knows the case
 * of every letter: what it leaves as it is may be in either case.
 */
function isOfAddress({ dialect }: Db, hash: SQLWrapper, email: string): SQL {
  const written = email.trim()
  const hashes = [written, written.toLowerCase(), written.toUpperCase()].map((text) =>
    emailHash(dialect, sql`cast(${text} as text)`),
  )
  return sql`${hash} in (${sql.join(hashes, sql`, `)})`
}
