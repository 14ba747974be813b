import type { Site } from '../site/site.ts'
import type { ArchiveHeader, ArchiveLine } from './archive.ts'
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
}

/**
 * Puts back what an archive holds, the last batch first: whatever was deleted later cannot hang on what was deleted
 * before it. Each batch is one transaction. Rows that are there already are left as they are.
 */
export async function restore(
  site: Site,
  { reader, header }: OpenArchive,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const restoration = new Restoration(site, header, options)
  for (let number = reader.count - 1; number > 0; number--) {
    const lines = (await reader.lines(number))?.map((line) => JSON.parse(line) as ArchiveLine)
    if (lines) await restoration.putBack(lines.reverse())
    else restoration.damaged(number)
  }
  return restoration.total.report(reader.isTorn)
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

  /** Tries the batch as a whole; when some row is refused, row by row. */
  async putBack(all: readonly ArchiveLine[]): Promise<void> {
    const owners = new Owners(this.header, all)
    const { wanted } = this
    const lines = wanted ? all.filter((line) => wanted.has(owners.of(line) ?? '')) : all
    if (lines.length === 0) return
    const tally =
      (await this.attempt(lines, owners, false).catch(() => undefined)) ??
      (await this.attempt(lines, owners, true))
    this.total.add(tally)
  }

  damaged(number: number): void {
    this.total.fail({ user: undefined, table: '', reason: `batch ${number} of the archive is damaged` })
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
