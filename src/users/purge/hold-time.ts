import type { PlannedBatch } from '../recheck.ts'

/** Whoever wants to write to a user of a batch waits for it: longer than this only where a small one takes so long. */
const LONG_MILLISECONDS = 400

/** Goes in one transaction however long that takes: most of it may be the way to the database and back. */
const SMALL_BATCH = 500

/** How long a batch holds its locks, as far as the one before it tells. */
export class HoldTime {
  /** Until it is known, take it for long. */
  private millisecondsPerUser = Number.POSITIVE_INFINITY

  measured(users: number, milliseconds: number): void {
    if (users > 0) this.millisecondsPerUser = milliseconds / users
  }

  /** Returns what goes in a transaction each: the whole batch, or small ones while the whole would take long. */
  partsOf(batch: PlannedBatch): readonly PlannedBatch[] {
    if (batch.length * this.millisecondsPerUser <= LONG_MILLISECONDS) return [batch]
    const parts: PlannedBatch[] = []
    for (let start = 0; start < batch.length; start += SMALL_BATCH) {
      parts.push(batch.slice(start, start + SMALL_BATCH))
    }
    return parts
  }
}
