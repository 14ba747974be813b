import { databaseFault, shortReason } from '../db/errors.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveHeader, ArchiveLine } from './archive.ts'
import { archivedLines } from './archived-lines.ts'
import { ArchivedRows } from './archived-rows.ts'
import type { OpenArchive } from './open-archive.ts'
import { Owners } from './ownership.ts'
import { LineRestoration } from './put-back-line.ts'
import { putBackRows } from './put-back-rows.ts'
import { type RestoreReport, RestoreTally } from './restore-report.ts'

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
 * before it. Each batch is one transaction. Rows that are there already are left as they are.
 */
export async function restore(
  site: Site,
  archive: OpenArchive,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const { reader, header } = archive
  const restoration = new Restoration(site, header, options)
  for (let number = reader.count - 1; number > 0; number--) {
    if (options.signal?.aborted) return { ...restoration.total.report(reader), interrupted: true }
    const lines = await archivedLines(archive, number)
    if (lines) await restoration.putBack(number, lines.reverse())
    else restoration.fail(number, reader.holds(number) ? 'is damaged' : 'is missing')
  }
  return restoration.total.report(reader)
}

/** Ends a dry run's transaction without a trace. */
class TakeBack extends Error {}

class Restoration {
  readonly total = new RestoreTally()
  private readonly site: Site
  private readonly header: ArchiveHeader
  private readonly options: RestoreOptions
  private readonly rows: ArchivedRows
  private readonly wanted: ReadonlySet<string> | undefined

  constructor(site: Site, header: ArchiveHeader, options: RestoreOptions) {
    this.site = site
    this.header = header
    this.options = options
    this.rows = new ArchivedRows(site, header)
    this.wanted = options.users && new Set(options.users)
  }

  /** Tries the batch as a whole; when some row is refused, row by row. Throws what says that no other will fare better. */
  async putBack(number: number, all: readonly ArchiveLine[]): Promise<void> {
    const owners = new Owners(this.header, all)
    const { wanted } = this
    const lines = wanted ? all.filter((line) => wanted.has(owners.of(line) ?? '')) : all
    if (lines.length === 0) return
    try {
      const tally =
        (await this.attempt(lines, owners, false).catch(() => undefined)) ??
        (await this.attempt(lines, owners, true))
      this.total.add(tally)
    } catch (error) {
      if (databaseFault(error) !== 'constraint') throw error
      this.fail(number, `could not be put back: ${shortReason(error)}`)
    }
  }

  /** Notes that a whole batch is not back. */
  fail(number: number, reason: string): void {
    this.total.fail({ user: undefined, table: '', reason: `batch ${number} of the archive ${reason}` })
  }

  private async attempt(
    lines: readonly ArchiveLine[],
    owners: Owners,
    rowByRow: boolean,
  ): Promise<RestoreTally> {
    const { site, rows, options } = this
    const tally = new RestoreTally()
    try {
      await site.db.transaction('write', async (tx) => {
        await tx.dialect.deferForeignKeys(tx)
        const work = { tx, site, rows, owners, tally }
        if (rowByRow) await new LineRestoration(work).putBackEach(lines)
        else await putBackRows(work, lines)
        await tx.dialect.checkForeignKeys(tx)
        if (options.dryRun) throw new TakeBack()
      })
    } catch (error) {
      if (!(error instanceof TakeBack)) throw error
    }
    return tally
  }
}
