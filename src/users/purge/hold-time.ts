/** Whoever wants to write to a user of a batch waits for it no longer than this, as far as it can be foreseen. */
const LONG_MILLISECONDS = 400

/** Go in one transaction however long that takes: most of it may be the way to the database and back. */
const FEWEST_USERS = 500

/** What the next batch takes may be something else than what the last one took. */
const MOST_USERS = 2_000

/** How long a batch holds its locks, as far as the one before it tells. */
export class HoldTime {
  /** Until it is known, take it for long. */
  private millisecondsPerUser = Number.POSITIVE_INFINITY

  measured(users: number, milliseconds: number): void {
    if (users > 0) this.millisecondsPerUser = milliseconds / users
  }

  /** Returns how many of so many users to take next, so that they all go in batches of about the same size. */
  shareOf(users: number): number {
    const most = Math.min(Math.max(LONG_MILLISECONDS / this.millisecondsPerUser, FEWEST_USERS), MOST_USERS)
    return Math.ceil(users / Math.ceil(users / most))
  }
}
