import { batchRefusalReason, databaseFault, isRefusal, TransactionEnded } from '../../db/errors.ts'
import { PASSING_AT_ANY_SIZE, retrying } from '../../db/retrying.ts'
import { inTransaction, type Site, shownUserKey } from '../../site/site.ts'
import type { Stop } from '../../stop.ts'
import { batchesBackwards } from '../archive/archived-batches.ts'
import { ArchivedRows } from '../archive/archived-rows.ts'
import type { ArchiveLine } from '../archive/lines.ts'
import type { OpenArchive } from '../archive/open-archive.ts'
import { Owners } from '../archive/ownership.ts'
import { findPresent } from './find-present.ts'
import { noteVerifiedElsewhere } from './note-verified-elsewhere.ts'
import { refuseOrphans } from './orphans.ts'
import { LineRestoration } from './put-back-line.ts'
import { putBackRows } from './put-back-rows.ts'
import type { PuttingBack } from './putting-back.ts'
import { rehearsed, type Within } from './rehearsal.ts'
import { type RestoreReport, RestoreTally } from './restore-report.ts'
import { TakenRows } from './taken-rows.ts'
import { Wanted } from './wanted.ts'

export interface RestoreOptions {
  /** Only what belongs to these users, by key; everybody when undefined. */
  readonly users?: readonly string[] | undefined
  /** Find out what would happen, and take it back. */
  readonly dryRun?: boolean | undefined
  /** Finish the batch at hand, then stop. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Puts back what an archive holds, the last batch first: whatever was deleted later cannot hang on what was deleted
 * before it. Each batch is one transaction. Rows that are there already are left as they are, and what would come into
 * the hands of somebody else is left out. Returns what was done, also when it was stopped in the middle; then run it
 * again. Throws only when a rehearsal cannot be taken back.
 */
export async function restore(
  site: Site,
  archive: OpenArchive,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const restoreWithin = (within: Within) => new Restoration(site, archive, options, within).putBackAll()
  return options.dryRun
    ? rehearsed(site, restoreWithin)
    : site.db.throughManyWrites(() => restoreWithin((work) => inTransaction(site, 'write', work)))
}

type PutBackLines = (work: PuttingBack, lines: readonly ArchiveLine[]) => Promise<void>

/** A batch of an archive. */
interface Batch {
  readonly all: readonly ArchiveLine[]
  /** Those that are to be put back. */
  readonly lines: readonly ArchiveLine[]
  readonly owners: Owners
}

class Restoration {
  private readonly site: Site
  private readonly total = new RestoreTally()
  private readonly archive: OpenArchive
  private readonly options: RestoreOptions
  private readonly within: Within
  private readonly rows: ArchivedRows
  private readonly taken: TakenRows
  private readonly wanted: Wanted | undefined
  private readonly verifiers = new Set<string>()
  private isCut = false

  constructor(site: Site, archive: OpenArchive, options: RestoreOptions, within: Within) {
    this.site = site
    this.archive = archive
    this.options = options
    this.within = within
    this.rows = new ArchivedRows(site, archive.header)
    this.taken = new TakenRows(site, archive.header, this.rows)
    this.wanted = options.users && new Wanted(options.users, this.rows, this.taken)
  }

  async putBackAll(): Promise<RestoreReport> {
    const stopped = await this.putBackUntilStopped().catch((error): Stop => ({ error }))
    return this.total.report(this.archive.reader, stopped)
  }

  private async putBackUntilStopped(): Promise<Stop | undefined> {
    const { reader } = this.archive
    for await (const { number, lines } of batchesBackwards(this.archive)) {
      if (this.isInterrupted()) break
      if (lines) await this.putBack(number, lines)
      else this.fail(number, reader.holds(number) ? 'is damaged' : 'is missing')
    }
    return this.isCut ? 'interrupted' : undefined
  }

  /** Notes that something is left when it is true. */
  private isInterrupted(): boolean {
    this.isCut ||= this.options.signal?.aborted ?? false
    return this.isCut
  }

  private async putBack(number: number, all: readonly ArchiveLine[]): Promise<void> {
    const owners = new Owners(this.archive.header, all)
    const lines = this.wanted ? this.wanted.among(all, owners) : all
    await this.putBackOrSplit(number, { all, lines, owners })
  }

  /**
   * Tries the lines as a whole; when some row is refused, row by row. What is refused only when all are in is halved until
   * the guilty user is found; everybody else comes back, but for what hangs on rows of a half that comes later: that comes
   * when it is asked for again. Throws what says that no other will fare better.
   */
  private async putBackOrSplit(number: number, batch: Batch): Promise<void> {
    try {
      const attempt = (how: PutBackLines) => retrying(() => this.attempt(batch, how), PASSING_AT_ANY_SIZE)
      const tally = (await attempt(putBackRows).catch(unlessRefused)) ?? (await attempt(putBackEach))
      this.total.add(tally)
    } catch (error) {
      const reason = batchRefusalReason(error)
      // With its transaction, a rehearsal has ended as a whole; and who waits for a lock waits for each half.
      const isHopeless = this.options.dryRun && error instanceof TransactionEnded
      const halves = isHopeless || databaseFault(error) === 'busy' ? [] : halvesOf(batch)
      for (const half of halves) {
        if (!this.isInterrupted()) await this.putBackOrSplit(number, half)
      }
      if (halves.length === 0) this.failBatch(number, batch, reason)
    }
  }

  /** Notes that what is left of a batch is not back. */
  private failBatch(number: number, batch: Batch, why: string): void {
    const [user, ...others] = usersIn(batch)
    const reason = `could not be put back: ${why}`
    if (user === undefined || others.length > 0) this.fail(number, reason)
    else this.total.fail({ user: shownUserKey(this.site, user), table: '', reason })
  }

  /** Notes that a whole batch is not back. */
  private fail(number: number, reason: string): void {
    this.total.fail({ user: undefined, table: '', reason: `batch ${number} of the archive ${reason}` })
  }

  private async attempt({ all, lines, owners }: Batch, putBackLines: PutBackLines): Promise<RestoreTally> {
    const { rows, taken, wanted, verifiers } = this
    const tally = new RestoreTally()
    await this.within(async (site) => {
      const { db } = site
      await db.dialect.deferForeignKeys(db)
      const present = await findPresent(site, rows, taken, all)
      const work = { site, rows, owners, wanted, taken, present, tally, verifiers }
      await putBackLines(work, lines)
      await putBackReferences(work)
      await db.dialect.checkForeignKeys(db)
      if (this.options.dryRun) await refuseOrphans(work)
      await noteVerifiedElsewhere(work)
    })
    return tally
  }
}

/** Returns whose the lines are; undefined stands for those of nobody. */
function usersIn({ lines, owners }: Batch): (string | undefined)[] {
  return [...new Set(lines.map((line) => owners.of(line)))]
}

/** Returns the lines of one half of the users, and those of the other; nothing when they are one user's. */
function halvesOf(batch: Batch): Batch[] {
  const users = usersIn(batch)
  if (users.length < 2) return []
  const first = new Set(users.slice(0, Math.ceil(users.length / 2)))
  return [true, false].map((isFirst) => {
    const isIn = (line: ArchiveLine) => first.has(batch.owners.of(line)) === isFirst
    return { ...batch, all: batch.all.filter(isIn), lines: batch.lines.filter(isIn) }
  })
}

/** Row by row, what is refused does not take the others with it. Throws everything else. */
function unlessRefused(error: unknown): undefined {
  if (!isRefusal(error)) throw error
}

/** Of rows that were there already, what was not there to be referred to before. */
async function putBackReferences(work: PuttingBack): Promise<void> {
  const single = new LineRestoration(work)
  for (const open of work.present.open) {
    if (work.wanted?.has(open, work.owners) ?? true) await single.putBackReference(open)
  }
}

async function putBackEach(work: PuttingBack, lines: readonly ArchiveLine[]): Promise<void> {
  await new LineRestoration(work).putBackEach(lines)
}
