import { eq } from 'drizzle-orm'
import { isDatabaseError } from '../../db/errors.ts'
import { UserError } from '../../errors.ts'
import { runsHoldingLocks } from '../../ledger/lock.ts'
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
 * nobody can know. Throws a UserError (refused) when the purge is still at work: what is not in it yet is not missing.
 */
export async function shortfallOf(site: Site, archive: OpenArchive): Promise<Shortfall | undefined> {
  const { run } = archive.header
  if (archive.reader.end === 'whole' || run === undefined || !site.shape.hasLedger) return undefined
  const { db } = site
  if (await unlessForbidden(async () => (await runsHoldingLocks(db)).has(run), false)) throw stillAtWork()
  const { deletions } = ledgerTables(db.dialect.kit)
  const deleted = await unlessForbidden(() => db.$count(deletions, eq(deletions.runId, run)), 0)
  const archived = await usersIn(archive)
  return archived < deleted ? { run, deleted, archived } : undefined
}

function stillAtWork(): UserError {
  return new UserError('the purge that writes this archive is still at work', {
    kind: 'refused',
    hint: 'put everybody back when it has ended, or some now with --user',
  })
}

/** Not every role may look into the ledger: to put back what is there is more than to know what is not. */
async function unlessForbidden<T>(look: () => PromiseLike<T>, otherwise: T): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (isDatabaseError(error)) return otherwise
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
