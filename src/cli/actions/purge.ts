import { resolve } from 'node:path'
import type { Settings } from '../../config/settings.ts'
import { invalid } from '../../errors.ts'
import { keepHeapLean } from '../../lean-heap.ts'
import { checkDelivery, type Delivery, deliveryProblem, lastDelivery } from '../../mail/last-delivery.ts'
import type { Site } from '../../site/site.ts'
import type { Criteria } from '../../users/criteria.ts'
import { checkBreaker, deletionLimit } from '../../users/purge/breaker.ts'
import { type PurgePlan, planPurge } from '../../users/purge/plan.ts'
import { type Limit, limitText } from '../../values/limit.ts'
import type { CommandContext } from '../command-context.ts'
import { commandLine } from '../command-line.ts'
import type { PurgeCommandOptions } from '../commands/purge.ts'
import { confirmNumber } from '../confirm.ts'
import { clockOf, criteriaFrom, understood } from '../criteria.ts'
import { BATCH_SIZE } from '../defaults.ts'
import {
  carryOutDeletion,
  connectionsFor,
  isForGood,
  throwUnlessDeleted,
  warnOfBreaker,
  warnOfNoArchive,
} from '../deletion.ts'
import { isNoNews } from '../no-news.ts'
import { sayNothingMatches } from '../nothing-matches.ts'
import { styleFor } from '../paint.ts'
import { frozenPlan, loadPlan, type ReviewedPlan } from '../plan-files.ts'
import { printReport } from '../print-report.ts'
import { withProgress } from '../progress.ts'
import { refuseWrongClock } from '../refuse-wrong-clock.ts'
import { planJson, planText, reportJson, reportText } from '../render/purge.ts'
import { warnOfUnmatched } from '../warn-of-unmatched.ts'
import { settingsOf, withSite } from '../with-site.ts'

/** What allows to delete more. */
const MAX_DELETE = '--max-delete'

/** Everything about one purge that its steps share. */
interface Purge {
  readonly context: CommandContext
  readonly options: PurgeCommandOptions
  readonly criteria: Criteria
  /** The criteria in words. */
  readonly understood: string
  readonly maxDelete: Limit | undefined
  readonly settings: Settings
  readonly reviewed: ReviewedPlan | undefined
}

/** Deletes the users that the options select and no guard keeps; with `--dry-run` or `--plan-out` only says which. */
export async function purgeUnverified(context: CommandContext, options: PurgeCommandOptions) {
  keepHeapLean()
  if (options.planOut === '-') throw invalid('--plan-out writes a file, not to standard output')
  const settings = await settingsOf(context)
  const { configured } = settings
  const clock = clockOf(options, configured, context)
  const reviewed = options.plan === undefined ? undefined : await loadPlan(options.plan, settings, context)
  const criteria = reviewed?.criteria ?? (await criteriaFrom(options, configured, context))
  const purge: Purge = {
    context,
    options,
    criteria,
    understood: understood(criteria, clock),
    maxDelete: options.maxDelete ?? configured.maxDelete,
    settings,
    reviewed,
  }
  if (options.despiteFailures && criteria.selection.reminded === undefined) {
    throw invalid('--despite-failures goes with --reminded-before')
  }
  const onlyLooks = options.dryRun || options.planOut !== undefined
  await withSite(
    context,
    async (site) => {
      await refuseWrongClock(site, context)
      reviewed?.refuseOther(site)
      await (onlyLooks ? showPlan : carryOut)(site, purge)
    },
    { settings, connections: connectionsFor(options) },
  )
}

async function showPlan(site: Site, purge: Purge): Promise<void> {
  const { context, options, maxDelete } = purge
  const { talk } = context
  const plan = await makePlan(site, purge)
  if (options.format === 'json') {
    await talk.say(purge.understood)
    await context.stdout.write(planJson(plan))
  } else {
    await context.stdout.write(planText(plan, purge.understood, await styleFor(context.stdout, context)))
  }
  await warnOfNoArchive(plan, purge)
  await warnOfBreaker(plan, maxDelete, MAX_DELETE, talk)
  const problem = deliveryProblem(await reliedOnDelivery(site, purge))
  if (problem) await talk.say(`warning: ${problem}; to delete them takes --despite-failures`)
  if (options.planOut !== undefined) {
    const file = resolve(context.cwd, options.planOut)
    const same = [...allowedNumber(plan, options), ...archiveOption(purge)]
    await talk.say(
      `plan: ${file}`,
      `to delete exactly these: ${commandLine(['purge', '--plan', file, ...same], purge)}`,
    )
  }
}

/** Returns the option that lets the plan be carried out; where it would be refused, the number has just been told. */
function allowedNumber({ toDelete, users }: PurgePlan, { maxDelete }: PurgeCommandOptions): string[] {
  if (!maxDelete) return []
  return [MAX_DELETE, toDelete > deletionLimit(users, maxDelete) ? String(toDelete) : limitText(maxDelete)]
}

function archiveOption({ context, options: { archive } }: Purge): string[] {
  if (archive === false) return ['--no-archive']
  return archive === undefined ? [] : ['--archive', resolve(context.cwd, archive)]
}

async function carryOut(site: Site, purge: Purge): Promise<void> {
  const { context, options, maxDelete, settings, criteria, reviewed } = purge
  const plan = await makePlan(site, purge)
  const text = planText(plan, purge.understood, await styleFor(context.stderr, context))
  await context.talk.show(text)
  await warnOfNoArchive(plan, purge)
  checkBreaker(plan, maxDelete, MAX_DELETE)
  checkDelivery(await reliedOnDelivery(site, purge))
  if (plan.toDelete > 0 && !options.yes) {
    await confirmNumber(context, plan.toDelete, {
      does: 'deletes',
      done: 'deleted',
      where: site.db.identity,
      forGood: isForGood(purge),
      plan: text,
    })
  }
  const batches = reviewed?.users(options.batchSize ?? BATCH_SIZE)
  const deletion = { context, options, settings, criteria, plan, batches }
  const done = await carryOutDeletion(site, { ...deletion, command: 'purge' })
  if (isNoNews({ deletion: done }, context.globals, options)) return
  const report =
    options.format === 'json' ? reportJson(done) : reportText(done, await styleFor(context.stdout, context))
  await printReport(context, report, () => throwUnlessDeleted(done))
}

/** Returns what became of the last reminders, where the selection relies on them. */
async function reliedOnDelivery(site: Site, { criteria, options }: Purge): Promise<Delivery | undefined> {
  if (criteria.selection.reminded === undefined || options.despiteFailures) return undefined
  return lastDelivery(site)
}

async function makePlan(site: Site, purge: Purge): Promise<PurgePlan> {
  const { context, options, criteria, reviewed } = purge
  const { planOut, dryRun, yes } = options
  if (!reviewed) await warnOfUnmatched(site, criteria, context)
  // Whoever has said yes to the plan, and wants to hear of errors only, does not read it.
  const countsRows = dryRun === true || !yes || context.globals.quiet !== true
  const plan = await withProgress(context, 'planning', () => {
    if (reviewed) return reviewed.plan(site, { countsRows })
    if (planOut !== undefined) return frozenPlan(site, criteria, planOut, context)
    return planPurge(site, criteria, {
      batchSize: dryRun ? undefined : (options.batchSize ?? BATCH_SIZE),
      countsRows,
    })
  })
  if (plan.matched === 0) await sayNothingMatches(site, criteria, context.talk)
  return plan
}
