import { type LifeStep, STEPS, type Step } from './life-steps.ts'

/** How many of each step are remembered. */
const SHOWN_PER_STEP = 20

/** Counts who is at which step, and remembers the first of each. */
export class StepTally {
  private readonly counts = new Map<Step, number>()
  private readonly first: LifeStep[] = []

  add(user: LifeStep): void {
    const count = (this.counts.get(user.step) ?? 0) + 1
    this.counts.set(user.step, count)
    if (count <= SHOWN_PER_STEP) this.first.push(user)
  }

  of(step: Step): number {
    return this.counts.get(step) ?? 0
  }

  /** All steps, also those that nobody is at. */
  record(): Record<string, number> {
    return Object.fromEntries(STEPS.map((step) => [step, this.of(step)]))
  }

  /** In the order of the steps. */
  shown(): LifeStep[] {
    return STEPS.flatMap((step) => this.first.filter((user) => user.step === step))
  }
}
