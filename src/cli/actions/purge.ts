import type { Settings } from '../../config/settings.ts'
import { UserError } from '../../errors.ts'
import { packageVersion } from '../../package-root.ts'
import { dependentsOf } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import { Archive, archiveHeader } from '../../users/archive.ts'
import { checkBreaker, deletionLimit, type MaxDelete } from '../../users/breaker.ts'
import type { Criteria } from '../../users/criteria.ts'
import { type PurgePlan, planPurge } from '../../users/plan.ts'
import { type PurgeReport, purge } from '../../users/purge.ts'
import { archiveDirectory, databaseIdentity } from '../archives.ts'
import type { PurgeCommandOptions } from '../commands/purge.ts'
import { confirmNumber } from '../confirm.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { clockOf, criteriaFrom, understood } from '../criteria.ts'
import { Interrupted } from '../interrupted.ts'
import { sayNothingMatches } from '../nothing-matches.ts'
import { styleFor } from '../paint.ts'
import { withProgress } from '../progress.ts'
import { counted } from '../render/numbers.ts'
import { planJson, planText, reportJson, reportText } from '../render/purge.ts'
import { talkOf } from '../talk.ts'
import { settingsOf, withSite } from '../with-site.ts'

const BATCH_SIZE = 1_000

/** Everything about one purge that its steps share. */
interface Run {
  readonly context: Context
  readonly globals: GlobalOptions
  readonly options: PurgeCommandOptions
  readonly criteria: Criteria
  /** The criteria in words. */
  readonly understood: string
  readonly maxDelete: MaxDelete | undefined
  readonly settings: Settings
}

/** Deletes the users that the options select and no guard keeps; with `--dry-run` only says which. */
export async function purgeUnverified(
  context: Context,
  globals: GlobalOptions,
  options: PurgeCommandOptions,
) {
  const settings = await settingsOf(context, globals)
  const { configured } = settings
  const criteria = await criteriaFrom(options, configured, context)
  const run: Run = {
    context,
    globals,
    options,
    criteria,
    understood: understood(criteria, clockOf(options, configured, context)),
    maxDelete: options.maxDelete ?? configured.maxDelete,
    settings,
  }
  const work = options.dryRun ? showPlan : carryOut
  await withSite(context, globals, (site) => work(site, run), {
    settings,
    connections: (options.jobs ?? 1) + 1,
  })
}

async function showPlan(site: Site, run: Run): Promise<void> {
  const { context, globals, options, maxDelete } = run
  const talk = talkOf(context, globals)
  const plan = await makePlan(site, run)
  if (options.format === 'json') {
    await talk.say(run.understood)
    await context.stdout.write(planJson(plan))
  } else {
    await context.stdout.write(planText(plan, run.understood, styleFor(context.stdout, context, globals)))
  }
  const limit = deletionLimit(plan.users, maxDelete)
  if (plan.toDelete > limit) {
    await talk.say(
      `warning: that is more than ${counted(limit, 'user')}; without --dry-run it needs --max-delete ${plan.toDelete}`,
    )
  }
}

async function carryOut(site: Site, run: Run): Promise<void> {
  const { context, globals, options, maxDelete } = run
  const plan = await makePlan(site, run)
  await talkOf(context, globals).show(
    planText(plan, run.understood, styleFor(context.stderr, context, globals)),
  )
  checkBreaker(plan, maxDelete)
  if (plan.toDelete > 0 && !options.yes) await confirmNumber(context, globals, plan.toDelete)
  const report = plan.toDelete > 0 ? await deleteArchived(site, run, plan) : nothingDeleted(plan)
  await context.stdout.write(
    options.format === 'json'
      ? reportJson(report)
      : reportText(report, styleFor(context.stdout, context, globals)),
  )
  throwWhenPartly(report)
}

async function makePlan(site: Site, { context, globals, options, criteria }: Run): Promise<PurgePlan> {
  const batchSize = options.dryRun ? undefined : (options.batchSize ?? BATCH_SIZE)
  const plan = await withProgress(context, globals, 'planning', () => planPurge(site, criteria, batchSize))
  if (plan.matched === 0) await sayNothingMatches(site, criteria, talkOf(context, globals))
  return plan
}

/** Deletes into an archive, and says how to put it back. */
async function deleteArchived(site: Site, run: Run, plan: PurgePlan): Promise<PurgeReport> {
  const { context, globals, criteria, settings } = run
  const directory = archiveDirectory(run.options.archive, settings, context.cwd)
  if (directory === undefined) return deletePlanned(site, run, plan)
  const archive = await Archive.create(
    directory,
    archiveHeader(site, dependentsOf(site.shape, criteria.rules), criteria, {
      version: packageVersion(),
      identity: databaseIdentity(settings.target),
      now: context.now(),
    }),
  )
  try {
    const report = await deletePlanned(site, run, plan, archive)
    await talkOf(context, globals).say(
      `archive: ${archive.path}`,
      `to put everybody back: usermgmt restore ${archive.path}`,
    )
    return { ...report, archive: archive.path }
  } finally {
    await archive.close()
  }
}

async function deletePlanned(site: Site, run: Run, plan: PurgePlan, archive?: Archive): Promise<PurgeReport> {
  const { context, globals, options, criteria } = run
  const talk = talkOf(context, globals)
  return context.untilInterrupted((signal) => {
    signal.addEventListener('abort', () => {
      void talk.say('', 'stopping after this batch; once more to stop at once')
    })
    return withProgress(context, globals, 'deleting', (onProgress) =>
      purge(site, criteria, plan, {
        jobs: options.jobs,
        archive,
        onProgress,
        signal,
      }),
    )
  })
}

function nothingDeleted({ since, matched, kept }: PurgePlan): PurgeReport {
  return { since, matched, deleted: 0, kept, changed: 0, tables: {}, nulled: {}, failed: [] }
}

/** After the report, so that what has been done is known. */
function throwWhenPartly({ deleted, failed, stopped }: PurgeReport): void {
  if (stopped === 'interrupted') {
    throw new Interrupted(`${counted(deleted, 'user')} deleted; run it again to go on`)
  }
  if (stopped) throw stopped.error
  if (failed.length === 0) return
  throw new UserError(`${counted(failed.length, 'user')} could not be deleted`, {
    hint: 'the report says why; the others have been deleted',
  })
}
