/** Whoever wants to write to a user of a batch waits for it: mostly no longer than this. */
const LONG_MILLISECONDS = 400

/** Go in one transaction however long that takes: most of it may be the way to the database and back. */
export const FEWEST_USERS = 500

/** These may have far more rows than those before them, all of which are in memory, and locked, at once. */
export const MOST_USERS = 1_500

/** How long a batch holds its locks, as far as the last two tell. */
export class HoldTime {
  /** For each user. Until it is known, take it for long. */
  private last = Number.POSITIVE_INFINITY
  private before = 0

  /** Takes for how many milliseconds the locks of so many users were held. */
  measured(users: number, milliseconds: number): void {
    if (users === 0) return
    this.before = this.last
    this.last = milliseconds / users
  }

  /** Returns how many of so many users to take next, so that they all go in batches of about the same size. */
  shareOf(users: number): number {
    const fitting = LONG_MILLISECONDS / Math.max(this.last, this.before)
    const most = Math.min(Math.max(fitting, FEWEST_USERS), MOST_USERS)
    return Math.ceil(users / Math.ceil(users / most))
  }
}
