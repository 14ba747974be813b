import type { Policy } from '../../config/configured.ts'
import type { Settings } from '../../config/settings.ts'
import { invalid } from '../../errors.ts'
import { keepHeapLean } from '../../lean-heap.ts'
import { planCampaign } from '../../mail/campaign-plan.ts'
import type { CampaignReport } from '../../mail/campaign-report.ts'
import { checkOwnDelivery } from '../../mail/last-delivery.ts'
import { type LifeStep, lifeSteps, type SweepCriteria } from '../../mail/life-steps.ts'
import { StepTally } from '../../mail/step-tally.ts'
import type { Site } from '../../site/site.ts'
import { checkBreaker } from '../../users/purge/breaker.ts'
import { planPurge } from '../../users/purge/plan.ts'
import { neededColumn } from '../../users/select.ts'
import type { WallClock } from '../../values/dates.ts'
import type { Limit } from '../../values/limit.ts'
import { counted } from '../../values/numbers.ts'
import { type CommandContext, canAsk } from '../command-context.ts'
import type { SweepOptions } from '../commands/sweep.ts'
import { confirmNumber, type Deed } from '../confirm.ts'
import { clockOf, understood } from '../criteria.ts'
import { BATCH_SIZE } from '../defaults.ts'
import {
  carryOutDeletion,
  connectionsFor,
  isForGood,
  throwUnlessDeleted,
  warnOfBreaker,
  warnOfNoArchive,
} from '../deletion.ts'
import type { DeletionReport } from '../deletion-report.ts'
import { type MailSource, mailSourceFrom } from '../mail-settings.ts'
import { checkTransport } from '../mail-transport.ts'
import { writingFor } from '../mail-writing.ts'
import { carryOutCampaign, refuseToForget, throwUnlessMailed } from '../mailing.ts'
import { isNoNews } from '../no-news.ts'
import { styleFor } from '../paint.ts'
import {
  policyDeletionDate,
  policyOf,
  sweepCriteria,
  warnOfLateReminders,
  warnOfLongLinks,
} from '../policy.ts'
import { printReport } from '../print-report.ts'
import { withProgress } from '../progress.ts'
import { refuseWrongClock } from '../refuse-wrong-clock.ts'
import {
  POLICY_NAMES,
  stepLine,
  stepsText,
  sweepJson,
  sweepPlanJson,
  sweepPlanText,
  sweepText,
} from '../render/sweep.ts'
import { candidatesIn, type SweepPlan, type SweepReport } from '../sweep-report.ts'
import { warnOfMail } from '../warn-of-mail.ts'
import { warnOfUnmatched } from '../warn-of-unmatched.ts'
import { settingsOf, withSite } from '../with-site.ts'
import { writeAll } from '../write-all.ts'

/** Everything about one sweep that its steps share. */
interface Sweep {
  readonly context: CommandContext
  readonly options: SweepOptions
  readonly settings: Settings
  readonly policy: Policy
  readonly clock: WallClock
  readonly criteria: SweepCriteria
  /** The criteria in words. */
  readonly understood: string
}

/** Where the policy says how many may be deleted. */
const MAX_DELETE = 'policy.max_delete:'

/** Reminds and deletes as the policy of the configuration file says; with `--dry-run` only says whom. */
export async function sweep(context: CommandContext, options: SweepOptions): Promise<void> {
  if (options.format === 'ndjson' && !options.dryRun) throw invalid('--format ndjson goes with --dry-run')
  keepHeapLean()
  const settings = await settingsOf(context)
  const { configured } = settings
  const policy = policyOf(configured)
  const clock = clockOf({}, configured, context)
  const criteria = await sweepCriteria(policy, configured, context, clock)
  const words = understood(criteria.candidates, clock)
  const task = { context, options, settings, policy, clock, criteria, understood: words }
  // Whatever is wrong with the mail should be known before anything is done.
  const checked = async () => {
    const source = await mailSourceFrom({}, settings, context)
    await checkTransport(source.transport, context)
    return source
  }
  const source = options.dryRun ? undefined : await checked()
  await warnOfLateReminders(policy, clock, context.talk)
  await warnOfLongLinks(configured, clock, context.talk)
  await withSite(
    context,
    async (site) => {
      await refuseWrongClock(site, context)
      refuseToForget(site)
      if (criteria.rules.joinedBefore) neededColumn(site, 'date_joined', 'follow policy.remind_after')
      await warnOfUnmatched(site, criteria.candidates, context)
      await (source ? carryOut(site, task, source) : showSteps(site, task))
    },
    { settings, connections: connectionsFor({}) },
  )
  if (options.dryRun) await warnOfMail(checked, context.talk)
}

async function showSteps(site: Site, task: Sweep): Promise<void> {
  const { context, options, criteria } = task
  const { stdout } = context
  const steps = lifeSteps(site, criteria)
  if (options.format === 'ndjson') {
    return writeAll(stdout, linesOf(steps))
  }
  const tally = new StepTally()
  await withProgress(context, 'planning', async () => {
    for await (const step of steps) tally.add(step)
  })
  const plan = await makePlan(site, task)
  await stdout.write(
    options.format === 'json'
      ? sweepPlanJson(plan, tally)
      : stepsText(tally, task.understood, stdout, await styleFor(stdout, context)),
  )
  if (plan.deletion) {
    await warnOfNoArchive(plan.deletion, task)
    await warnOfBreaker(plan.deletion, maxDeleteOf(task), MAX_DELETE, context.talk)
  }
}

async function* linesOf(steps: AsyncIterable<LifeStep>): AsyncGenerator<string> {
  for await (const step of steps) yield stepLine(step)
}

function maxDeleteOf({ policy, settings }: Sweep): Limit | undefined {
  return policy.maxDelete ?? settings.configured.maxDelete
}

async function carryOut(site: Site, task: Sweep, source: MailSource): Promise<void> {
  const { context, options, policy } = task
  const writing = await writingFor(site, source, task.clock)
  const plan = await makePlan(site, task)
  const style = await styleFor(context.stderr, context)
  const shown = sweepPlanText(plan, task.understood, style)
  await context.talk.show(shown)
  if (plan.deletion) {
    await warnOfNoArchive(plan.deletion, task)
    checkBreaker(plan.deletion, maxDeleteOf(task), MAX_DELETE)
  }
  if (!options.yes && canAsk(context)) await confirm(plan, task, { where: site.db.identity, plan: shown })
  const mail = await carryOutCampaign(site, {
    context,
    options,
    command: 'sweep',
    criteria: task.criteria.remind,
    plan: plan.mail,
    rules: task.criteria.rules,
    source,
    writing,
    deletionDate: policyDeletionDate(policy, task.clock),
    names: POLICY_NAMES,
  })
  const { deletion, trouble } = mail.stopped ? {} : await deleteAfter(mail, site, task, plan)
  const report = { mail, deletion, candidates: candidatesIn(plan) }
  await printReport(
    context,
    isNoNews(report, context.globals, options) ? '' : await reportFor(report, task),
    () => {
      if (trouble !== undefined) throw trouble
      // What the deletion has to say is worse, but nothing that the mail has to say comes after it.
      if (deletion) throwUnlessDeleted(deletion)
      throwUnlessMailed(mail)
    },
  )
}

async function makePlan(site: Site, { context, criteria, options }: Sweep): Promise<SweepPlan> {
  return withProgress(context, 'planning', async () => ({
    mail: await planCampaign(site, criteria.remind, criteria.rules, {
      namesDate: criteria.remove !== undefined,
    }),
    deletion:
      criteria.remove &&
      (await planPurge(site, criteria.remove, {
        batchSize: options.dryRun ? undefined : BATCH_SIZE,
      })),
  }))
}

async function confirm(
  { mail, deletion }: SweepPlan,
  task: Sweep,
  about: Pick<Deed, 'where' | 'plan'>,
): Promise<void> {
  const { context } = task
  const toDelete = deletion?.toDelete ?? 0
  const reminding = mail.toMail > 0 ? `reminds ${counted(mail.toMail, 'user')}` : ''
  if (toDelete > 0) {
    const does = reminding === '' ? 'deletes' : `${reminding} and deletes`
    const forGood = isForGood(task)
    await confirmNumber(context, toDelete, { ...about, does, done: 'done', forGood })
  } else if (mail.toMail > 0) {
    await confirmNumber(context, mail.toMail, { ...about, does: 'reminds', done: 'done' })
  }
}

/** What keeps the deletion from beginning is not thrown: first it is to be told which mails have gone out. */
async function deleteAfter(
  mail: CampaignReport,
  site: Site,
  task: Sweep,
  plan: SweepPlan,
): Promise<{ readonly deletion?: DeletionReport | undefined; readonly trouble?: unknown }> {
  try {
    checkOwnDelivery(mail)
    return { deletion: await deleteDue(site, task, plan) }
  } catch (trouble) {
    return { trouble }
  }
}

async function deleteDue(
  site: Site,
  task: Sweep,
  { deletion: plan }: SweepPlan,
): Promise<DeletionReport | undefined> {
  const { context, settings, options, criteria } = task
  if (!plan || !criteria.remove) return undefined
  return carryOutDeletion(site, {
    context,
    settings,
    options,
    command: 'sweep',
    criteria: criteria.remove,
    plan,
  })
}

async function reportFor(report: SweepReport, { context, options }: Sweep): Promise<string> {
  return options.format === 'json'
    ? sweepJson(report)
    : sweepText(report, await styleFor(context.stdout, context))
}
