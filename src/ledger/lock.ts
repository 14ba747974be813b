import { eq, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/port.ts'
import { dateOf, type Instant } from '../django/datetime.ts'
import { UserError } from '../errors.ts'
import { ledgerTables } from '../site/ledger.ts'
import { type Holder, isGone, thisProcess } from './holder.ts'

/** A holder that has not shown itself for so long has lost the lock. */
export const EXPIRY_MILLISECONDS = 120_000
/** How often a holder shows itself, at most. */
export const BEAT_MILLISECONDS = 10_000

/**
 * Takes the lock of this name for the run, within the transaction. A row and not the session holds it: behind a
 * transaction pooler a session keeps nothing. Throws a UserError (refused) when another run has it.
 */
export async function takeLock(tx: Db, name: string, runId: string): Promise<void> {
  const { locks } = ledgerTables(tx.dialect.kit)
  await tx.dialect.oneAtATime(tx)
  const [held] = await locksHeld(tx, name)
  if (held && !isStale(held)) throw heldBy(name, held)
  if (held) await tx.delete(locks).where(eq(locks.name, name))
  await tx.insert(locks).values({
    name,
    runId,
    holder: JSON.stringify(thisProcess()),
    acquiredAt: databaseTime(),
    heartbeatAt: databaseTime(),
  })
}

/** Returns the ids of the runs that hold a lock and have shown themselves lately. */
export async function runsHoldingLocks(db: Db): Promise<Set<string>> {
  const held = await locksHeld(db)
  return new Set(held.filter((each) => !isStale(each)).map((each) => each.runId))
}

async function locksHeld(db: Db, name?: string): Promise<Held[]> {
  const { locks } = ledgerTables(db.dialect.kit)
  const rows = await db
    .select({
      runId: sql<string>`${locks.runId}`,
      holder: sql<string>`${locks.holder}`,
      acquiredAt: sql<Instant>`${locks.acquiredAt}`.mapWith(locks.acquiredAt),
      heartbeatAt: sql<Instant>`${locks.heartbeatAt}`.mapWith(locks.heartbeatAt),
      now: databaseTime().mapWith(locks.heartbeatAt),
    })
    .from(locks)
    .where(name === undefined ? undefined : eq(locks.name, name))
  return rows.map((row) => ({ ...row, holder: JSON.parse(row.holder) as Holder }))
}

/** Shows that the run is alive. Throws a UserError (refused) when another run has taken the lock. */
export async function beat(db: Db, name: string, runId: string): Promise<void> {
  const { locks } = ledgerTables(db.dialect.kit)
  const mine = await db.rows(
    sql`update ${locks} set heartbeat_at = ${databaseTime()} where ${eq(locks.runId, runId)} returning 1`,
  )
  if (mine.length > 0) return
  throw new UserError(`this ${name} was taken for dead, and another one has begun`, {
    kind: 'refused',
    hint: 'what was done is in the report; run it again when the other one has ended',
  })
}

/** Lets go of the run's lock, unless another run has it by now. */
export async function releaseLock(tx: Db, runId: string): Promise<void> {
  const { locks } = ledgerTables(tx.dialect.kit)
  await tx.delete(locks).where(eq(locks.runId, runId))
}

/** The clocks of two machines may differ; the database has one. */
function databaseTime(): SQL<Instant> {
  return sql`current_timestamp`
}

/** The row of a lock, with the database's time; the columns are NOT NULL. */
interface Held {
  readonly runId: string
  readonly holder: Holder
  readonly acquiredAt: Instant
  readonly heartbeatAt: Instant
  readonly now: Instant
}

function isStale({ holder, heartbeatAt, now }: Held): boolean {
  return dateOf(now).getTime() - dateOf(heartbeatAt).getTime() > EXPIRY_MILLISECONDS || isGone(holder)
}

function heldBy(name: string, { acquiredAt, holder: { host, pid } }: Held): UserError {
  const since = acquiredAt.replace('T', ' ').replace(/(\.\d+)?Z$/, '')
  return new UserError(`another ${name} has been running since ${since} UTC (process ${pid} on ${host})`, {
    kind: 'refused',
    hint: `wait until it has ended; if its machine is gone, its lock ends ${EXPIRY_MILLISECONDS / 60_000} minutes later`,
  })
}
