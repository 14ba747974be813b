import { inSavepoint } from '../../db/savepoint.ts'
import { inTransaction, type Site } from '../../site/site.ts'
import type { RestoreReport } from './restore-report.ts'

/** Runs the work in a transaction, or in what stands for one. */
export type Within = <T>(work: (here: Site) => Promise<T>) => Promise<T>

/**
 * Returns what a restoration would report, and leaves no trace. It takes each batch back at once, to keep no locks: as
 * long as nothing is amiss, that is the whole truth. What is may miss rows of other batches, so it begins again and takes
 * all of them back together.
 */
export async function rehearsed(
  site: Site,
  restoreWithin: (within: Within) => Promise<RestoreReport>,
): Promise<RestoreReport> {
  const report = await restoreWithin((work) => takenBack(site, work))
  const isAmiss = report.failed.length + report.notes.length > 0
  if (!isAmiss || report.stopped) return report
  return takenBack(site, (here) => restoreWithin((work) => inSavepoint(here.db, () => work(here))))
}

/** Ends a transaction without a trace, and brings along what the work returned. */
class TakeBack<T> extends Error {
  readonly result: T

  constructor(result: T) {
    super('taken back')
    this.result = result
  }
}

async function takenBack<T>(site: Site, work: (here: Site) => Promise<T>): Promise<T> {
  try {
    return await inTransaction(site, 'write', async (here) => {
      throw new TakeBack(await work(here))
    })
  } catch (error) {
    if (error instanceof TakeBack) return error.result
    throw error
  }
}
