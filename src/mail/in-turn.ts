/** Lets one piece of work run at a time, in the order in which they come: a connection has one transaction. */
export class InTurn {
  private last: Promise<unknown> = Promise.resolve()

  /** Returns what the work returns, or throws what it throws; the next one begins either way. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work, work)
    this.last = result.catch(() => {})
    return result
  }
}
