import type { Clock } from './clock.ts'

export interface PaceOptions {
  /** Beginnings in a second; undefined for no limit. */
  readonly rate?: number | undefined
  /** At work at once. */
  readonly concurrency: number
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/** Lets work begin at an even rate, no more of it at once than allowed. */
export class Pace {
  private readonly options: PaceOptions
  private readonly waiting: (() => void)[] = []
  private free: number
  private next = 0

  constructor(options: PaceOptions) {
    this.options = options
    this.free = options.concurrency
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.free -= 1
    try {
      await this.turn()
      return await work()
    } finally {
      // What came of the work may be the end of all: whoever asked for it knows first, as soon as promises have settled.
      process.nextTick(() => this.handOver())
    }
  }

  private handOver(): void {
    const next = this.waiting.shift()
    if (next) next()
    else this.free += 1
  }

  private async turn(): Promise<void> {
    const { rate, clock, signal } = this.options
    if (rate === undefined) return
    const now = clock.now().getTime()
    const begin = Math.max(now, this.next)
    this.next = begin + 1000 / rate
    if (begin > now) await clock.sleep(begin - now, signal)
  }
}
