import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { type DatabaseFault, databaseFault } from '../db/errors.ts'
import type { Db } from '../db/port.ts'
import { instantOf } from '../django/datetime.ts'
import { ledgerTables } from '../site/ledger.ts'
import type { Stop } from '../stop.ts'
import { BEAT_MILLISECONDS, beat, EXPIRY_MILLISECONDS, releaseLock, takeLock } from './lock.ts'

/** How often a run that may last asks itself whether a sign of life is due: more often than one is. */
export const HEART_MILLISECONDS = 5_000

/** What may be over when the next sign is due. */
const HARMLESS: readonly DatabaseFault[] = ['connection', 'retry', 'busy', 'locked']

/** Who runs what, where. */
export interface RunFacts {
  readonly command: string
  /** As given, without secrets and without anybody's address. */
  readonly options: Readonly<Record<string, unknown>>
  readonly actor: string
  readonly host: string
  readonly version: string
}

export type Outcome = 'done' | 'partly' | 'failed' | 'interrupted'

/** Returns how a run has ended; `isPart`: it got to its end, but not everything could be done. */
export function outcomeOf(stopped: Stop | undefined, isPart: boolean): Outcome {
  if (stopped === 'interrupted') return stopped
  if (stopped) return 'failed'
  return isPart ? 'partly' : 'done'
}

/** How a run has ended. */
export interface RunEnd {
  readonly outcome: Outcome
  /** What it did, in numbers. */
  readonly counts: Readonly<Record<string, unknown>>
  /** Null when it has gone. */
  readonly archive?: string | null | undefined
}

export interface RunOptions {
  /** At most one run at a time holds the lock of this name. */
  readonly lock?: string | undefined
  readonly now: () => Date
}

/** A run in the ledger, from its beginning to its end. */
export class LedgerRun {
  readonly id = randomUUID()
  private readonly db: Db
  private readonly options: RunOptions
  private lastBeat = Date.now()
  private isBeating = false

  private constructor(db: Db, options: RunOptions) {
    this.db = db
    this.options = options
  }

  /** Records the beginning. Throws a UserError (refused) when another run has the lock. */
  static async begin(db: Db, facts: RunFacts, options: RunOptions): Promise<LedgerRun> {
    const run = new LedgerRun(db, options)
    const { runs } = ledgerTables(db.dialect.kit)
    await db.transaction('write', async (tx) => {
      if (options.lock !== undefined) await takeLock(tx, options.lock, run.id)
      const startedAt = instantOf(options.now())
      await tx
        .insert(runs)
        .values({ ...facts, id: run.id, startedAt, options: JSON.stringify(facts.options) })
    })
    return run
  }

  /** Returns the time by the clock of the run. */
  now(): Date {
    return this.options.now()
  }

  /**
   * Shows, now and then, that the run is alive; not within a transaction. Throws when its lock is lost, or may soon be. A
   * sign that cannot be given now does no harm: the lock outlasts several.
   */
  async beat(): Promise<void> {
    const { lock } = this.options
    if (lock === undefined || this.isBeating || Date.now() - this.lastBeat < BEAT_MILLISECONDS) return
    this.isBeating = true
    try {
      await beat(this.db, lock, this.id)
      this.lastBeat = Date.now()
    } catch (error) {
      const isLate = Date.now() - this.lastBeat > EXPIRY_MILLISECONDS / 2
      if (isLate || !HARMLESS.includes(databaseFault(error))) throw error
    } finally {
      this.isBeating = false
    }
  }

  /** Records where the run puts what it deletes; null when that has gone. */
  async recordArchive(archive: string | null): Promise<void> {
    const { runs } = ledgerTables(this.db.dialect.kit)
    await this.db.update(runs).set({ archive }).where(eq(runs.id, this.id))
  }

  /** Records the end, and lets go of the lock. */
  async end({ outcome, counts, archive }: RunEnd): Promise<void> {
    const { runs } = ledgerTables(this.db.dialect.kit)
    const { lock, now } = this.options
    await this.db.transaction('write', async (tx) => {
      const values = { outcome, counts: JSON.stringify(counts), archive, endedAt: instantOf(now()) }
      await tx.update(runs).set(values).where(eq(runs.id, this.id))
      if (lock !== undefined) await releaseLock(tx, this.id)
    })
  }
}
