import type { Stop } from '../../stop.ts'
import { countUp } from '../../values/counts.ts'
import type { Candidates } from '../candidates.ts'
import { addKept, type KeptCounts } from '../kept-counts.ts'
import type { Checked, PlannedBatch } from '../recheck.ts'
import type { Effects } from './delete-users.ts'
import { nulledColumns } from './nulled-columns.ts'
import { NulledRows } from './nulled-rows.ts'
import type { PurgePlan } from './plan.ts'

export interface FailedUser {
  readonly id: string
  readonly reason: string
}

export interface PurgeReport {
  readonly since: string
  readonly matched: number
  readonly deleted: number
  readonly kept: KeptCounts
  /** Users of the plan who were kept because they changed since: verified, logged in, wrote something. */
  readonly changed: number
  readonly tables: Readonly<Record<string, number>>
  readonly nulled: Readonly<Record<string, number>>
  readonly failed: readonly FailedUser[]
  /** Stopped before its end. */
  readonly stopped?: Stop | undefined
}

/** What has become of a batch that is committed. */
export interface BatchOutcome extends Pick<Checked, 'unchanged' | 'kept'> {
  readonly effects: Effects | undefined
}

/** Counts while users are deleted, batch by batch. */
export class PurgeTally {
  private readonly plan: PurgePlan
  private readonly candidates: Candidates
  private kept: KeptCounts
  private readonly tables = new Map<string, number>()
  private readonly nulled = new NulledRows()
  private readonly failed: FailedUser[] = []
  private deleted = 0
  private changed = 0

  constructor(plan: PurgePlan, candidates: Candidates) {
    this.plan = plan
    this.candidates = candidates
    this.kept = plan.kept
  }

  /** Users of whom it is known what has become of them. */
  get done(): number {
    return this.deleted + this.changed + this.failed.length
  }

  add(batch: PlannedBatch, { unchanged, kept, effects }: BatchOutcome): void {
    this.deleted += unchanged.length
    this.changed += batch.length - unchanged.length
    this.kept = addKept(this.kept, kept)
    if (effects) this.addEffects(effects)
  }

  fail(user: FailedUser): void {
    this.failed.push(user)
  }

  report(stopped: Stop | undefined): PurgeReport {
    const { plan, candidates, deleted, kept, changed, failed } = this
    const order = candidates.dependents.order.flat().map(({ label }) => label)
    const edges = nulledColumns(candidates).map(({ label }) => label)
    return {
      since: plan.since,
      matched: plan.matched,
      deleted,
      kept,
      changed,
      tables: withPlanned(order, plan.tables, this.tables),
      nulled: withPlanned(edges, plan.nulled, this.nulled.numbers),
      failed,
      stopped,
    }
  }

  private addEffects({ tables, nulled, gone }: Effects): void {
    for (const [name, rows] of tables) countUp(this.tables, name, rows)
    for (const { table, columns, rows } of nulled) this.nulled.add(table.label, columns, rows)
    for (const { table, rows } of gone) this.nulled.remove(table.label, rows)
  }
}

/** Returns the numbers of what was planned, and of whatever came on top meanwhile, in this order. */
function withPlanned(
  order: readonly string[],
  planned: Readonly<Record<string, number>>,
  done: ReadonlyMap<string, number>,
): Record<string, number> {
  const names = order.filter((name) => name in planned || done.has(name))
  return Object.fromEntries(names.map((name) => [name, done.get(name) ?? 0]))
}
