import type { Result } from './reminder-rows.ts'

/** So many are written together; a process that is killed loses fewer. */
const MOST = 60
const SOON_MILLISECONDS = 250

export interface ResultWriterOptions {
  /** Writes the results in one transaction. */
  readonly write: (results: readonly Result[]) => Promise<void>
  /** The ledger cannot be written: what is lost stays `sending`, and is repeated only when somebody asks for it. */
  readonly onFailure: (error: unknown) => void
}

/** Writes results in groups, each soon after it is known. */
export class ResultWriter {
  private readonly options: ResultWriterOptions
  private waiting: Result[] = []
  private timer: NodeJS.Timeout | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(options: ResultWriterOptions) {
    this.options = options
  }

  add(result: Result): void {
    this.waiting.push(result)
    if (this.waiting.length >= MOST) void this.flush()
    else this.timer ??= setTimeout(() => void this.flush(), SOON_MILLISECONDS)
  }

  /** Returns what is waiting, for somebody else to write; what that one cannot write is to be added again. */
  take(): readonly Result[] {
    clearTimeout(this.timer)
    this.timer = undefined
    const results = this.waiting
    this.waiting = []
    return results
  }

  /** Resolves when all that has been added is written, or cannot be: then it waits for the next time. Never throws. */
  async flush(): Promise<void> {
    const results = this.take()
    if (results.length > 0) {
      const { write, onFailure } = this.options
      this.writing = this.writing
        .then(() => write(results))
        .catch((error) => {
          this.waiting.unshift(...results)
          onFailure(error)
        })
    }
    await this.writing
  }
}
