import { type DatabaseFault, databaseFault, shortReason } from '../../db/errors.ts'
import { type Db, ReadAgain } from '../../db/port.ts'
import { PASSING_AT_ANY_SIZE, retrying } from '../../db/retrying.ts'
import { instantOf } from '../../django/datetime.ts'
import { UserError } from '../../errors.ts'
import { HEART_MILLISECONDS, type LedgerRun } from '../../ledger/run.ts'
import { hasActiveKey, refuseIrretrievable } from '../../site/dependents.ts'
import { inTransaction, type Site, shownUserKey } from '../../site/site.ts'
import type { Stop } from '../../stop.ts'
import { type Archive, ArchiveError } from '../archive/archive.ts'
import type { ArchiveEndLine } from '../archive/lines.ts'
import type { Candidates } from '../candidates.ts'
import type { Criteria } from '../criteria.ts'
import { lockUsers } from '../lock-users.ts'
import { type PlannedBatch, plannedCandidates, recheck } from '../recheck.ts'
import { deleteUsers, type Effects } from './delete-users.ts'
import { HoldTime } from './hold-time.ts'
import { lockParents } from './lock-parents.ts'
import { type PurgePlan, plannedBatches } from './plan.ts'
import { type PurgeReport, PurgeTally } from './purge-report.ts'
import { recordDeletions } from './record-deletions.ts'
import { refuseFurtherChanges } from './refuse-further-changes.ts'

/** No part of the batch, and no other one, would fare better. */
const STOPPING: ReadonlySet<DatabaseFault> = new Set(['connection', 'locked', 'storage', 'other'])

/** For fewer users, another thread takes longer to start than it saves. */
const WORTH_A_THREAD = 30_000

/** So much of the archive is written, and read again, in one piece. */
const LARGEST_BATCH_BYTES = 64 * 1024 * 1024

export interface PurgeProgress {
  readonly done: number
  readonly total: number
}

export interface PurgeOptions {
  /** Batches worked on at once, where the database can. */
  readonly jobs?: number | undefined
  /** Take no more of a batch at once than lets others wait briefly. On SQLite every writer waits for every other one. */
  readonly isConsiderate?: boolean | undefined
  readonly onProgress?: ((progress: PurgeProgress) => void) | undefined
  /** Holds what is deleted before it is; without one nothing can be put back. */
  readonly archive?: Archive | undefined
  /** Who is to be deleted, when not those whom the plan holds. */
  readonly batches?: AsyncIterable<PlannedBatch> | undefined
  /** Records each deletion, and keeps a second purge out; without one nobody remembers. */
  readonly run?: LedgerRun | undefined
  /** Finish the batch at hand, then stop. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Deletes the users of the plan's batches, each batch in one transaction that checks them again. Throws a UserError
 * before it begins, for a table that it cannot archive; never for what a database does in the middle: the report says
 * what was done, and why it stopped.
 */
export async function purge(
  site: Site,
  criteria: Criteria,
  plan: PurgePlan,
  options: PurgeOptions = {},
): Promise<PurgeReport> {
  const run = new PurgeRun(site, criteria, plan, options)
  const waiting = run.partsOf(options.batches ?? plannedBatches(plan))
  const jobs = site.db.dialect.parallel ? (options.jobs ?? 1) : 1
  const work = () => Promise.all(Array.from({ length: jobs }, () => run.work(waiting)))
  await run.whileAlive(() => site.db.throughManyWrites(work))
  await waiting.return(undefined)
  const report = run.report()
  await options.archive?.end({ end: endOf(report), users: report.deleted })
  return report
}

function endOf({ stopped }: PurgeReport): ArchiveEndLine['end'] {
  if (stopped === 'interrupted') return stopped
  return stopped ? 'stopped' : 'done'
}

class PurgeRun {
  private readonly site: Site
  private readonly candidates: Candidates
  private readonly plan: PurgePlan
  private readonly options: PurgeOptions
  private readonly tally: PurgeTally
  private readonly holdTime = new HoldTime()
  private stopped: Stop | undefined
  private sign: Promise<void> = Promise.resolve()
  private readsAhead: boolean
  private readonly countsChanges: boolean

  constructor(site: Site, criteria: Criteria, plan: PurgePlan, options: PurgeOptions) {
    this.site = site
    this.candidates = plannedCandidates(site, criteria)
    refuseIrretrievable(this.candidates.dependents)
    this.plan = plan
    this.options = options
    this.tally = new PurgeTally(plan, this.candidates)
    const { dependents } = this.candidates
    // Django's keys do nothing of their own.
    this.countsChanges =
      plan.triggers.length === 0 && dependents.order.flat().some((table) => hasActiveKey(dependents, table))
    this.readsAhead = plan.toDelete >= WORTH_A_THREAD && plan.triggers.length === 0
  }

  /**
   * A batch may last longer than the lock does without a sign of life, so a timer gives them meanwhile; not on SQLite,
   * whose only connection is busy with the batch.
   */
  async whileAlive(work: () => Promise<unknown>): Promise<void> {
    const heart = this.site.db.dialect.parallel
      ? setInterval(() => {
          this.sign = this.showAlive()
        }, HEART_MILLISECONDS)
      : undefined
    try {
      await work()
    } finally {
      clearInterval(heart)
      await this.sign
    }
  }

  /** One generator for all workers: whichever asks gets the next users. */
  async *partsOf(
    batches: Iterable<PlannedBatch> | AsyncIterable<PlannedBatch>,
  ): AsyncGenerator<PlannedBatch, void> {
    const isConsiderate = this.options.isConsiderate && this.site.db.dialect.parallel
    for await (const batch of batches) {
      for (let at = 0; at < batch.length; ) {
        const left = batch.length - at
        const share = isConsiderate ? this.holdTime.shareOf(left) : left
        yield batch.slice(at, at + share)
        at += share
      }
    }
  }

  /** Never throws: another worker may be in the middle of a batch, which belongs in the report. */
  async work(waiting: AsyncIterator<PlannedBatch>): Promise<void> {
    try {
      for (let next = await waiting.next(); !next.done && !this.stopped; next = await waiting.next()) {
        await this.deleteOrSplit(next.value)
      }
    } catch (error) {
      this.stopped ??= { error }
    }
  }

  private async showAlive(): Promise<void> {
    try {
      await this.options.run?.beat()
    } catch (error) {
      this.stopped ??= { error }
    }
  }

  report(): PurgeReport {
    return this.tally.report(this.stopped)
  }

  /** A batch that fails is halved until the guilty user is found; everybody else goes. */
  private async deleteOrSplit(batch: PlannedBatch): Promise<void> {
    if (this.options.signal?.aborted) this.stopped ??= 'interrupted'
    if (!this.stopped) await this.showAlive()
    if (this.stopped) return
    try {
      await this.deleteBatch(batch)
    } catch (error) {
      if (STOPPING.has(databaseFault(error)) || error instanceof ArchiveError) {
        this.stopped = { error }
      } else if (batch.length === 1) {
        const [user] = batch
        const id = shownUserKey(this.site, user?.key ?? '')
        this.tally.fail({ id, reason: shortReason(error) })
        this.advance()
      } else {
        const middle = Math.ceil(batch.length / 2)
        await this.deleteOrSplit(batch.slice(0, middle))
        await this.deleteOrSplit(batch.slice(middle))
      }
    }
  }

  private async deleteBatch(batch: PlannedBatch): Promise<void> {
    const keys = batch.map(({ key }) => key)
    let began = 0
    const work = () =>
      inTransaction(this.site, 'write', async (here) => {
        await here.db.dialect.waitBriefly(here.db)
        began = performance.now()
        await lockUsers(here, keys)
        await lockParents(here, this.candidates, keys, { all: batch.some(({ reviewed }) => reviewed) })
        const { unchanged, kept } = (await this.isAsPlanned(here.db))
          ? { unchanged: keys, kept: {} }
          : await recheck(here, this.candidates, batch)
        const effects = unchanged.length > 0 ? await this.deleteIn(here, unchanged) : undefined
        // Who was kept when a plan was reviewed has been counted then; whoever is kept since has changed.
        return { unchanged, kept: this.options.batches ? {} : kept, effects }
      })
    const outcome = await retrying(
      () => this.readingAgain(work),
      batch.length > 1 ? PASSING_AT_ANY_SIZE : undefined,
    )
    this.holdTime.measured(outcome.unchanged.length, performance.now() - began)
    this.tally.add(batch, outcome)
    this.advance()
  }

  /** What cannot be relied on once is not tried again. */
  private async readingAgain<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ReadAgain)) throw error
      this.readsAhead = false
      return work()
    }
  }

  /** Nobody else has changed anything: to ask the plan's question once more would give its answer. */
  private async isAsPlanned(tx: Db): Promise<boolean> {
    const { plan, options } = this
    if (options.batches || plan.changeMark === undefined) return false
    return (await tx.dialect.changeMark(tx)) === plan.changeMark
  }

  private async deleteIn(here: Site, keys: readonly string[]): Promise<Effects> {
    const { run, archive } = this.options
    // Before, for it reads their addresses.
    if (run) await recordDeletions(here, run.id, keys, instantOf(run.now()))
    // More than a process can hold is refused as long as there can be less.
    const batch = archive?.batch(keys.length > 1 ? LARGEST_BATCH_BYTES : undefined)
    const work = async () => {
      const done = await deleteUsers(here, this.candidates, keys, {
        sink: batch,
        readsAhead: this.readsAhead,
      })
      // After the deletion: what it has locked cannot change any more.
      await this.refuseChangedTables(here.db)
      return done
    }
    const effects = await (this.countsChanges ? refuseFurtherChanges(here.db, work) : work())
    if (batch) await archive?.save(batch)
    return effects
  }

  /** What hangs on a user by now, and what a row consists of, nobody has looked at. */
  private async refuseChangedTables(tx: Db): Promise<void> {
    const { mark } = this.site.shape.catalog
    if (mark === undefined || (await tx.dialect.schemaMark(tx)) === mark) return
    throw new UserError('the tables of the site have changed since the plan was made', {
      kind: 'refused',
      hint: 'run it again, and see the new plan',
    })
  }

  private advance(): void {
    const { plan, tally } = this
    this.options.onProgress?.({ done: tally.done, total: plan.toDelete + plan.changed })
  }
}
