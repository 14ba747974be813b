import { eq } from 'drizzle-orm'
import { isDatabaseError } from '../../db/errors.ts'
import { ledgerTables } from '../../site/ledger.ts'
import type { Site } from '../../site/site.ts'
import { archivedBatches } from './archived-batches.ts'
import { isDeleted } from './lines.ts'
import type { OpenArchive } from './open-archive.ts'

/** Users of a purge who are in its archive no more. */
export interface Shortfall {
  /** The run in the ledger. */
  readonly run: string
  readonly deleted: number
  readonly archived: number
}

/**
 * Returns what an archive without an end lacks, by the ledger: it was cut since. Undefined when it lacks nothing, or when
 * nobody can know.
 */
export async function shortfallOf(site: Site, archive: OpenArchive): Promise<Shortfall | undefined> {
  const { run } = archive.header
  if (archive.reader.end === 'whole' || run === undefined || !site.shape.hasLedger) return undefined
  const deleted = await deletionsOf(site, run)
  const archived = await usersIn(archive)
  return archived < deleted ? { run, deleted, archived } : undefined
}

/** None for whoever may not look: to put back what is there is more than to know what is not. */
async function deletionsOf({ db }: Site, run: string): Promise<number> {
  const { deletions } = ledgerTables(db.dialect.kit)
  try {
    return await db.$count(deletions, eq(deletions.runId, run))
  } catch (error) {
    if (isDatabaseError(error)) return 0
    throw error
  }
}

async function usersIn(archive: OpenArchive): Promise<number> {
  const { tables, users } = archive.header
  const table = tables.findIndex(({ name }) => name === users)
  let found = 0
  for await (const { lines = [] } of archivedBatches(archive)) {
    found += lines.filter((line) => isDeleted(line) && line.d === table).length
  }
  return found
}
