import { dependentsOf } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import { Archive } from '../archive/archive.ts'
import { archiveHeader } from '../archive/header.ts'
import type { Criteria } from '../criteria.ts'
import type { PurgePlan } from './plan.ts'
import { type PurgeOptions, purge } from './purge.ts'
import type { PurgeReport } from './purge-report.ts'

/** What a purge has done, and where the archive of it is. */
export interface ArchivedReport extends PurgeReport {
  /** The file that holds what was deleted. */
  readonly archive?: string | undefined
  /** Where that file was, when somebody has removed or moved it. */
  readonly lostArchive?: string | undefined
}

export interface ArchivedPurgeOptions extends Omit<PurgeOptions, 'archive'> {
  /** Where the archive is made. */
  readonly directory: string
  /** Of the tool. */
  readonly version: string
  readonly now: Date
}

/**
 * As `purge`, into a new archive, which the ledger has before anybody is deleted; when nobody has been, none is left.
 * Throws a UserError as well when no archive can be made.
 */
export async function purgeArchived(
  site: Site,
  criteria: Criteria,
  plan: PurgePlan,
  { directory, version, now, ...options }: ArchivedPurgeOptions,
): Promise<ArchivedReport> {
  const { run } = options
  const dependents = dependentsOf(site.shape, criteria.rules)
  const header = archiveHeader(site, dependents, criteria, { version, id: run?.id, now })
  const archive = await Archive.create(directory, header)
  const { path } = archive
  try {
    // Before anybody is deleted: of a run that is killed, somebody must find it. What is in the way of this, the first
    // batch meets as well, and reports.
    await run?.recordArchive(path).catch(() => {})
    const report = await purge(site, criteria, plan, { ...options, archive })
    if (archive.isEmpty) return report
    return (await archive.isInPlace()) ? { ...report, archive: path } : { ...report, lostArchive: path }
  } finally {
    await archive.close()
    if (archive.isEmpty) await run?.recordArchive(null).catch(() => {})
  }
}
