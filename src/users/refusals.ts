import type { ArchiveLine } from './archive.ts'
import type { PuttingBack } from './put-back-line.ts'

/** Why a row does not go in whose place is not free. */
export const TAKEN = 'its id, or a value that must be unique, is taken by now'

/** Rows that do not go in, and what the report says of them. */
export class Refusals {
  private readonly work: PuttingBack
  private readonly reported = new Set<string>()

  constructor(work: PuttingBack) {
    this.work = work
  }

  /** Returns false, and counts the line, when it is there already, or would come into the hands of somebody else. */
  goesIn(line: ArchiveLine): boolean {
    const { taken, owners, rows, tally } = this.work
    const met = taken.metBy(line)
    if (met === undefined) {
      if (!taken.isThere(line)) return true
      tally.skip()
      return false
    }
    const owner = owners.of(line)
    if (owner !== undefined && taken.hasUser(owner)) this.failUser(owner)
    else if (met === rows.tableNameOf(line)) this.fail(line, TAKEN)
    else this.fail(line, `what it refers to is somebody else's by now: ${met}`)
    return false
  }

  /** Notes why the row is not back, or not as it was. */
  fail(line: ArchiveLine, reason: string): void {
    const { rows, owners, tally } = this.work
    const owner = owners.of(line)
    tally.fail({
      user: owner === undefined ? undefined : this.shown(owner),
      table: rows.tableNameOf(line),
      reason,
    })
  }

  /** Once for all that belongs to the user. */
  private failUser(key: string): void {
    if (this.reported.has(key)) return
    this.reported.add(key)
    const { site, tally } = this.work
    tally.fail({
      user: this.shown(key),
      table: site.shape.users.label,
      reason: 'the id belongs to somebody else by now, so nothing of this user is put back',
    })
  }

  private shown(key: string): string {
    const { db, shape } = this.work.site
    return db.dialect.shownKey(key, shape.userKey.type)
  }
}
