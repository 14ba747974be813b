import type { Settings } from '../config/settings.ts'
import { UserError } from '../errors.ts'
import { type LedgerRun, outcomeOf, type RunEnd } from '../ledger/run.ts'
import { packageVersion } from '../package-root.ts'
import type { Site } from '../site/site.ts'
import type { Criteria } from '../users/criteria.ts'
import { deletionLimit } from '../users/purge/breaker.ts'
import type { PurgePlan } from '../users/purge/plan.ts'
import { purge } from '../users/purge/purge.ts'
import { type ArchivedReport, purgeArchived } from '../users/purge/purge-archived.ts'
import type { PurgeReport } from '../users/purge/purge-report.ts'
import type { PlannedBatch } from '../users/recheck.ts'
import type { Limit } from '../values/limit.ts'
import { counted } from '../values/numbers.ts'
import { archiveDirectory } from './archives.ts'
import type { CommandContext } from './command-context.ts'
import { commandLine } from './command-line.ts'
import { JOBS } from './defaults.ts'
import { type DeletionReport, recordedArchive } from './deletion-report.ts'
import { Interrupted } from './interrupted.ts'
import { withStoppableProgress } from './progress.ts'
import { FOR_GOOD } from './render/purge.ts'
import type { Talk } from './talk.ts'
import { warnBeforeDeletion } from './warn-of-unmatched.ts'
import { withRun } from './with-run.ts'

/** Returns how many connections a deletion needs: one for each job, and one beside them. */
export function connectionsFor({ jobs = JOBS }: { readonly jobs?: number | undefined }): number {
  return jobs + 1
}

/** What is deleted, and how. */
export interface Deletion {
  readonly context: CommandContext
  readonly settings: Settings
  /** As the ledger has it. */
  readonly command: 'purge' | 'sweep'
  /** For the ledger, as given. */
  readonly options: {
    readonly archive?: string | false | undefined
    readonly jobs?: number | undefined
    readonly batchSize?: number | undefined
  }
  readonly criteria: Criteria
  readonly plan: PurgePlan
  /** Who is to be deleted, when not those whom the plan holds. */
  readonly batches?: AsyncIterable<PlannedBatch> | undefined
}

type Keeping = Pick<Deletion, 'context' | 'options' | 'settings'>

/** True when nothing of what is deleted is kept. */
export function isForGood({ context, options, settings }: Keeping): boolean {
  return archiveDirectory(options.archive, settings, context.cwd) === undefined
}

/** Says that what is deleted cannot be put back, when that is so. */
export async function warnOfNoArchive({ toDelete }: PurgePlan, keeping: Keeping): Promise<void> {
  if (toDelete > 0 && isForGood(keeping)) await keeping.context.talk.say(FOR_GOOD)
}

/** Says that the plan would be refused, and what allows it: `setting` before a number. */
export async function warnOfBreaker(
  { toDelete, users }: PurgePlan,
  max: Limit | undefined,
  setting: string,
  talk: Talk,
): Promise<void> {
  const limit = deletionLimit(users, max)
  if (toDelete <= limit) return
  await talk.say(
    `warning: that is more than ${counted(limit, 'user')}; to delete them takes ${setting} ${toDelete}`,
  )
}

/** Deletes the users of the plan: recorded in the ledger, kept in an archive, stoppable by Ctrl-C. */
export async function carryOutDeletion(site: Site, deletion: Deletion): Promise<DeletionReport> {
  if (deletion.plan.toDelete === 0) return nothingDeleted(deletion.plan)
  const { context, command, options, criteria } = deletion
  await warnBeforeDeletion(site, criteria, context)
  return withRun(
    context,
    site,
    { command, options, lock: 'purge' },
    (run) => deletePlanned(site, deletion, run),
    endOf,
  )
}

/** To be called when the report has been printed, so that what has been done is known. */
export function throwUnlessDeleted({ deleted, failed, stopped }: PurgeReport): void {
  if (stopped === 'interrupted') {
    throw new Interrupted(`${counted(deleted, 'user')} deleted; run it again to go on`)
  }
  if (stopped) throw stopped.error
  if (failed.length === 0) return
  throw new UserError(`${counted(failed.length, 'user')} could not be deleted`, {
    hint: deleted > 0 ? 'the report says why; the others have been deleted' : 'the report says why',
  })
}

async function deletePlanned(
  site: Site,
  deletion: Deletion,
  run: LedgerRun | undefined,
): Promise<DeletionReport> {
  const { context, options, settings, criteria, plan, batches } = deletion
  const directory = archiveDirectory(options.archive, settings, context.cwd)
  const report = await withStoppableProgress(
    context,
    { what: 'deleting', stopping: 'this batch' },
    (onProgress, signal): Promise<ArchivedReport> => {
      const how = {
        run,
        batches,
        jobs: options.jobs ?? JOBS,
        isConsiderate: options.batchSize === undefined,
        onProgress,
        signal,
      }
      if (directory === undefined) return purge(site, criteria, plan, how)
      const into = { directory, version: packageVersion(), now: context.now() }
      return purgeArchived(site, criteria, plan, { ...how, ...into })
    },
  )
  const { archive } = report
  return archive === undefined ? report : { ...report, undo: commandLine(['restore', archive], deletion) }
}

function nothingDeleted({ since, matched, kept, changed }: PurgePlan): PurgeReport {
  return { since, matched, deleted: 0, kept, changed, tables: {}, nulled: {}, failed: [] }
}

function endOf(report: DeletionReport): RunEnd {
  const { matched, deleted, kept, changed, failed, stopped } = report
  return {
    outcome: outcomeOf(stopped, failed.length > 0),
    counts: { matched, deleted, kept, changed, failed: failed.length },
    archive: recordedArchive(report),
  }
}
