import { takenAlready } from '../../db/error-words.ts'
import { refusalReason } from '../../db/errors.ts'
import { inSavepoint } from '../../db/savepoint.ts'
import { shownUserKey } from '../../site/site.ts'
import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import type { PuttingBack } from './putting-back.ts'
import type { Obstacle } from './taken-rows.ts'

/** Why a line is not back whose table the site does not have any more. */
export const TABLE_GONE = 'the table is gone'

/** Rows that do not go in, and what the report says of them. */
export class Refusals {
  private readonly work: PuttingBack
  private readonly reported = new Set<string>()

  constructor(work: PuttingBack) {
    this.work = work
  }

  /** Returns false, and counts the line, when it is there already, or would come into the hands of somebody else. */
  goesIn(line: ArchiveLine): boolean {
    const { taken, present, owners, tally } = this.work
    const obstacle = taken.obstacleTo(line)
    if (!obstacle) {
      if (!present.there.has(line)) return true
      tally.skip(present.changed.has(line))
      return false
    }
    const owner = owners.of(line)
    const columns = owner === undefined ? undefined : taken.takenOf(owner)
    if (owner !== undefined && columns && this.isAskedFor(line)) this.failUser(owner, columns)
    else this.fail(line, reasonOf(line, obstacle))
    return false
  }

  /** Returns what the work for the line returns; undefined, and notes why, when it is refused. */
  async trying<T>(line: ArchiveLine, work: () => Promise<T>): Promise<T | undefined> {
    const { site, rows } = this.work
    try {
      return await inSavepoint(site.db, work)
    } catch (error) {
      const reason = refusalReason(error)
      const needed = isDeleted(line) ? rows.newColumns(line) : []
      const isNeeded = `a column that has come since needs a value: ${needed.join(', ')}`
      this.fail(line, needed.length > 0 ? isNeeded : reason)
      return undefined
    }
  }

  /** Notes why the row is not back, or not as it was. */
  fail(line: ArchiveLine, reason: string): void {
    const { site, rows, owners, tally } = this.work
    const owner = owners.of(line)
    const user = owner === undefined ? undefined : shownUserKey(site, owner)
    const table = rows.tableNameOf(line)
    if (user === undefined || this.isAskedFor(line)) tally.fail({ user, table, reason })
    else this.noteShared(user, `what they share with somebody asked for, in ${table}: ${reason}`)
  }

  /** Notes that the row is back, but for what it referred to. */
  failReference(line: DeletedLine, columns: readonly string[]): void {
    this.fail(
      line,
      `put back without ${columns.join(', ')}: what it referred to is not there, or somebody else's by now`,
    )
  }

  /** Another one's, it may hang on somebody who stays out, and then it comes with them. */
  private isAskedFor(line: ArchiveLine): boolean {
    const { wanted, owners } = this.work
    return wanted?.isTheirs(line, owners) ?? true
  }

  /** Once for all the rows of which the same is to be said. */
  private noteShared(user: string, note: string): void {
    const shared = `${user} ${note}`
    if (this.reported.has(shared)) return
    this.reported.add(shared)
    this.work.tally.note({ user, note })
  }

  /** Once for all that belongs to the user. */
  private failUser(key: string, columns: readonly string[]): void {
    if (this.reported.has(key)) return
    this.reported.add(key)
    const { site, tally } = this.work
    const { users, userKey } = site.shape
    const what = columns.includes(userKey.name)
      ? 'the id belongs to somebody else by now'
      : takenAlready(users.label, columns)
    tally.fail({
      user: shownUserKey(site, key),
      table: users.label,
      reason: `${what}, so nothing of this user is put back`,
    })
  }
}

function reasonOf(line: ArchiveLine, { kind, table, columns }: Obstacle): string {
  if (kind === 'own') return takenAlready(table, columns)
  return kind === 'taken' ? `what it refers to is somebody else's by now: ${table}` : notThere(line, table)
}

/** Returns why a row stays out, or goes without a reference, that needs one of this table. */
export function notThere(line: ArchiveLine, table: string): string {
  return `a row ${isDeleted(line) ? 'it depends on' : 'that it referred to'} is not there: ${table}`
}
