import { setMaxListeners } from 'node:events'
import { retrying } from '../db/retrying.ts'
import { instantOf } from '../django/datetime.ts'
import { UserError } from '../errors.ts'
import { HEART_MILLISECONDS, type LedgerRun } from '../ledger/run.ts'
import { inTransaction, type Site } from '../site/site.ts'
import type { Criteria } from '../users/criteria.ts'
import { plannedCandidates } from '../users/recheck.ts'
import { withName } from '../values/readers.ts'
import { Backlog } from './backlog.ts'
import { type CampaignPlan, forMail, type MailGroup, plannedGroups } from './campaign-plan.ts'
import { type CampaignReport, CampaignTally } from './campaign-report.ts'
import type { Clock } from './clock.ts'
import { type Composer, composeReminder } from './compose.ts'
import { type Delivered, deliver } from './delivery.ts'
import type { FailureLimit } from './failure-limit.ts'
import { InTurn } from './in-turn.ts'
import type { LinkSettings } from './link.ts'
import type { Message } from './message.ts'
import { Pace } from './pace.ts'
import {
  type DeletionDate,
  isStillDue,
  type Preparation,
  type Prepared,
  type PreparedGroup,
  prepare,
} from './prepare.ts'
import { type Result, recordResults } from './reminder-rows.ts'
import type { ReminderRules } from './reminder-rules.ts'
import { ResultWriter } from './result-writer.ts'
import { twinKeys } from './taken-address.ts'
import type { Transport } from './transport.ts'

/** Checked and written down together, when there is no rate: with one, as many as go out in about a second. */
const LARGEST_GROUP = 40

export interface CampaignSettings {
  readonly run: LedgerRun
  readonly transport: Transport
  readonly composer: Composer
  readonly links: LinkSettings
  readonly rules: ReminderRules
  readonly deletionDate?: DeletionDate | undefined
  /** Beginnings in a second; undefined for no limit. */
  readonly rate?: number | undefined
  /** Mails on their way at once. */
  readonly concurrency: number
  readonly failureLimit: FailureLimit
  readonly clock: Clock
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
  /** Finish the mails at hand, then stop. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Mails whoever the plan counted and is still to be mailed when the turn comes, and writes down what becomes of each
 * mail. Returns what was done, and why it stopped: never throws for what happens in the middle.
 */
export async function runCampaign(
  site: Site,
  criteria: Criteria,
  plan: CampaignPlan,
  settings: CampaignSettings,
): Promise<CampaignReport> {
  return new Campaign(site, criteria, plan, settings, await twinKeys(site)).run()
}

class Campaign {
  private readonly site: Site
  private readonly plan: CampaignPlan
  private readonly settings: CampaignSettings
  private readonly preparation: Preparation
  private readonly tally: CampaignTally
  private readonly pace: Pace
  private readonly results: ResultWriter
  private readonly turns = new InTurn()
  private readonly stop = new AbortController()
  /** Aborted when no further mail is to begin. */
  private readonly ending: AbortSignal
  private readonly backlog: Backlog
  private failure: { readonly error: unknown } | undefined
  private isCut = false

  constructor(
    site: Site,
    criteria: Criteria,
    plan: CampaignPlan,
    settings: CampaignSettings,
    twins: readonly string[],
  ) {
    const { run, links, rules, signal, rate, concurrency, clock } = settings
    this.site = site
    this.plan = plan
    this.settings = settings
    const candidates = plannedCandidates(site, forMail(criteria))
    this.preparation = { candidates, twins, rules, runId: run.id, links }
    this.tally = new CampaignTally(plan)
    this.ending = signal ? AbortSignal.any([signal, this.stop.signal]) : this.stop.signal
    // Each mail that waits for its turn, or to be tried again, listens to it.
    setMaxListeners(0, this.ending)
    this.backlog = new Backlog(this.ending)
    this.pace = new Pace({ rate, concurrency, clock, signal: this.ending })
    this.results = new ResultWriter({
      write: (results) => this.writeResults(results),
      onFailure: (error) => this.fail(error),
    })
  }

  async run(): Promise<CampaignReport> {
    const heart = setInterval(() => void this.beat(), HEART_MILLISECONDS)
    try {
      await this.mailAll()
    } catch (error) {
      this.fail(error)
    }
    await this.backlog.end()
    await this.results.flush()
    clearInterval(heart)
    const stopped = this.failure ?? (this.isCut ? 'interrupted' : undefined)
    return { ...this.tally.report(), stopped }
  }

  private async mailAll(): Promise<void> {
    const { rate = LARGEST_GROUP } = this.settings
    const size = Math.min(LARGEST_GROUP, Math.max(1, Math.floor(rate)))
    for (const group of plannedGroups(this.plan, size)) {
      await this.backlog.room(size)
      if (this.ending.aborted) {
        this.isCut = true
        return
      }
      await this.mailGroup(group)
    }
  }

  private async mailGroup(group: MailGroup): Promise<void> {
    const prepared = await this.turns.run(() => this.prepareGroup(group))
    const { mails } = prepared
    this.tally.notMailed(group.keys.length - mails.length, prepared)
    for (const mail of mails) this.backlog.add((begin) => this.mail(mail, begin))
  }

  private async prepareGroup({ keys, hasContent }: MailGroup): Promise<PreparedGroup> {
    const results = this.results.take()
    const { clock, deletionDate } = this.settings
    const at = clock.now()
    try {
      return await prepare(this.site, keys, at, {
        ...this.preparation,
        // Nobody is told of a deletion that their rows will prevent.
        deletionDate: hasContent ? undefined : deletionDate,
        alongside: (here) => this.record(here, results),
      })
    } catch (error) {
      for (const result of results) this.results.add(result)
      throw error
    }
  }

  private async mail(mail: Prepared, onBegin: () => void): Promise<void> {
    const { clock, transport } = this.settings
    try {
      const delivered = await deliver(() => this.compose(mail), {
        transport,
        clock,
        pace: this.pace,
        ending: this.ending,
        checkedAt: mail.checkedAt,
        isStillDue: () => this.isStillDue(mail),
        onBegin,
      })
      this.finish(mail, delivered)
    } catch (error) {
      // An unexpected error says nothing about the mail: perhaps it was sent.
      const status = error instanceof UserError ? 'unsent' : 'sending'
      this.finish(mail, { status, reply: '', attempts: 1 })
      this.fail(error)
    }
    this.showProgress()
  }

  /** A template may fail for some only: --preview shows for whom. */
  private compose(mail: Prepared): Message {
    const { clock, composer } = this.settings
    return withName(`user ${mail.recipient.user.id}`, () => composeReminder(composer, mail, clock.now()))
  }

  private isStillDue({ recipient }: Prepared): Promise<boolean> {
    return this.turns.run(() => isStillDue(this.site, recipient, this.preparation))
  }

  private finish({ reminderId, recipient }: Prepared, delivered: Delivered): void {
    const { status, reply, changed } = delivered
    this.results.add({ reminderId, ...delivered })
    if (changed) this.tally.notMailed(1, { changed: 1 })
    if (status === 'unsent') {
      this.isCut ||= !changed
      return
    }
    try {
      this.tally.finished(recipient.user.id, status, reply, this.settings.failureLimit)
    } catch (error) {
      this.fail(error)
    }
  }

  private fail(error: unknown): void {
    this.failure ??= { error }
    this.stop.abort()
  }

  private async writeResults(results: readonly Result[]): Promise<void> {
    await this.turns.run(() =>
      retrying(() => inTransaction(this.site, 'write', (here) => this.record(here, results))),
    )
  }

  private async record(here: Site, results: readonly Result[]): Promise<void> {
    const { links, clock } = this.settings
    const confirmations = links.kind === 'database'
    await recordResults(here, results, { at: instantOf(clock.now()), confirmations })
  }

  private async beat(): Promise<void> {
    await this.turns.run(() => this.settings.run.beat()).catch((error) => this.fail(error))
  }

  private showProgress(): void {
    this.settings.onProgress?.(this.tally.progress())
  }
}
