/** Mails that wait to be tried again hold memory. */
const MOST_UNFINISHED = 1_000

/**
 * The mails that have been checked and not yet dealt with. It says when there is room for more: what is checked should be
 * sent soon, for users change, and not too many mails should wait to be tried again.
 */
export class Backlog {
  private readonly ending: AbortSignal
  private readonly unfinished = new Set<Promise<void>>()
  private notBegun = 0
  private wake = () => {}

  /** `ending`: aborted when there will be no more. */
  constructor(ending: AbortSignal) {
    this.ending = ending
    ending.addEventListener('abort', () => this.wake())
  }

  /** Resolves when a group of this size may be checked, or when there will be no more. */
  async room(size: number): Promise<void> {
    while (
      !this.ending.aborted &&
      (this.notBegun > size / 2 || this.unfinished.size + size > MOST_UNFINISHED)
    ) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  /** Adds a mail, which `send` deals with: it calls `begin` when it begins, and does not throw. */
  add(send: (begin: () => void) => Promise<void>): void {
    this.notBegun += 1
    const begin = once(() => {
      this.notBegun -= 1
      this.wake()
    })
    const task = send(begin).finally(() => {
      begin()
      this.unfinished.delete(task)
      this.wake()
    })
    this.unfinished.add(task)
  }

  /** Resolves when all mails have been dealt with. */
  async end(): Promise<void> {
    await Promise.all(this.unfinished)
  }
}

function once(work: () => void): () => void {
  let left: (() => void) | undefined = work
  return () => {
    left?.()
    left = undefined
  }
}
