import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import { databaseFault, shortReason } from '../db/errors.ts'
import type { Site } from '../site/site.ts'
import { type Archive, ArchiveError, archivedTables } from './archive.ts'
import { deleteUsers, type Effects } from './batch.ts'
import { type Candidates, candidatesOf, isTrue } from './candidates.ts'
import type { Criteria, GuardName } from './criteria.ts'
import { KEY_SEPARATOR, type PurgePlan } from './plan.ts'

const ATTEMPTS = 5
const FIRST_PAUSE_MILLISECONDS = 100

export interface PurgeProgress {
  readonly done: number
  readonly total: number
}

export interface PurgeOptions {
  /** PostgreSQL batches worked on at once. */
  readonly jobs?: number | undefined
  readonly onProgress?: ((progress: PurgeProgress) => void) | undefined
  /** Holds what is deleted before it is; without one nothing can be put back. */
  readonly archive?: Archive | undefined
  /** Finish the batch at hand, then stop. */
  readonly signal?: AbortSignal | undefined
}

export interface FailedUser {
  readonly id: string
  readonly reason: string
}

export interface PurgeReport {
  readonly since: string
  readonly matched: number
  readonly deleted: number
  readonly kept: Readonly<Partial<Record<GuardName, number>>>
  /** Users of the plan who were kept because they changed since: verified, logged in, wrote something. */
  readonly changed: number
  readonly tables: Readonly<Record<string, number>>
  readonly nulled: Readonly<Record<string, number>>
  readonly failed: readonly FailedUser[]
  /** The file that holds what was deleted. */
  readonly archive?: string | undefined
  /** Stopped before its end: by a signal, or by a database that went away. */
  readonly stopped?: 'interrupted' | { readonly error: unknown } | undefined
}

/**
 * Deletes the users of the plan's batches, each batch in one transaction that checks them again. Never throws for what
 * a database does in the middle: the report says what was done, and why it stopped.
 */
export async function purge(
  site: Site,
  criteria: Criteria,
  plan: PurgePlan,
  options: PurgeOptions = {},
): Promise<PurgeReport> {
  const run = new PurgeRun(site, criteria, plan, options)
  const waiting = plan.batches.values()
  await Promise.all(Array.from({ length: options.jobs ?? 1 }, () => run.work(waiting)))
  return run.report()
}

class PurgeRun {
  private readonly site: Site
  private readonly candidates: Candidates
  private readonly plan: PurgePlan
  private readonly options: PurgeOptions
  private readonly kept: Partial<Record<GuardName, number>>
  private readonly tables = new Map<string, number>()
  private readonly nulled = new Map<string, number>()
  private readonly failed: FailedUser[] = []
  private readonly archived: readonly Table[] | undefined
  private deleted = 0
  private changed = 0
  private stopped: PurgeReport['stopped']

  constructor(site: Site, criteria: Criteria, plan: PurgePlan, options: PurgeOptions) {
    // The batches hold the keys: the limit has been applied, and a long list of ids need not travel with each.
    const selection = { ...criteria.selection, users: undefined, userIds: undefined, limit: undefined }
    this.site = site
    this.candidates = candidatesOf(site, { ...criteria, selection })
    this.archived = options.archive && archivedTables(this.candidates.dependents)
    this.plan = plan
    this.options = options
    this.kept = { ...plan.kept }
  }

  async work(waiting: Iterator<string>): Promise<void> {
    for (let next = waiting.next(); !next.done && !this.stopped; next = waiting.next()) {
      if (this.options.signal?.aborted) {
        this.stopped = 'interrupted'
        return
      }
      await this.deleteOrSplit(next.value.split(KEY_SEPARATOR))
    }
  }

  report(): PurgeReport {
    return {
      since: this.plan.since,
      matched: this.plan.matched,
      deleted: this.deleted,
      kept: this.kept,
      changed: this.changed,
      tables: Object.fromEntries(
        Object.keys(this.plan.tables).map((table) => [table, this.tables.get(table) ?? 0]),
      ),
      nulled: Object.fromEntries(
        Object.keys(this.plan.nulled).map((column) => [column, this.nulled.get(column) ?? 0]),
      ),
      failed: this.failed,
      stopped: this.stopped,
    }
  }

  /** A batch that fails is halved until the guilty user is found; everybody else goes. */
  private async deleteOrSplit(keys: readonly string[]): Promise<void> {
    if (this.stopped) return
    try {
      await this.deleteBatch(keys)
    } catch (error) {
      const fault = databaseFault(error)
      if (fault === 'connection' || fault === 'other' || error instanceof ArchiveError) {
        this.stopped = { error }
      } else if (keys.length === 1) {
        const [key = ''] = keys
        const id = this.site.db.dialect.shownKey(key, this.site.shape.userKey.type)
        this.failed.push({ id, reason: shortReason(error) })
        this.advance()
      } else {
        const middle = Math.ceil(keys.length / 2)
        await this.deleteOrSplit(keys.slice(0, middle))
        await this.deleteOrSplit(keys.slice(middle))
      }
    }
  }

  private async deleteBatch(keys: readonly string[]): Promise<void> {
    const { deletable, kept, effects } = await retrying(() =>
      this.site.db.transaction('write', async (tx) => {
        const site = { ...this.site, db: tx }
        await lockUsers(site, keys)
        const checked = await check(site, this.candidates, keys)
        const effects =
          checked.deletable.length > 0 &&
          (await deleteUsers(tx, site, this.candidates, checked.deletable, this.archived))
        if (effects) await this.options.archive?.append(effects.lines)
        return { ...checked, effects }
      }),
    )
    this.deleted += deletable.length
    this.changed += keys.length - deletable.length
    for (const guard of kept) this.kept[guard] = (this.kept[guard] ?? 0) + 1
    if (effects) this.addEffects(effects)
    this.advance()
  }

  private addEffects({ tables, nulled }: Effects): void {
    for (const [name, rows] of tables) this.tables.set(name, (this.tables.get(name) ?? 0) + rows)
    for (const [name, rows] of nulled) this.nulled.set(name, (this.nulled.get(name) ?? 0) + rows)
  }

  private advance(): void {
    const done = this.deleted + this.changed + this.failed.length
    this.options.onProgress?.({ done, total: this.plan.toDelete })
  }
}

/** Holds off whoever would verify, log in or write something: each of these touches one of these rows. */
async function lockUsers({ db, shape, tables }: Site, keys: readonly string[]): Promise<void> {
  const { users, emailAddresses: address } = tables
  const { type } = shape.userKey
  await db.dialect.lockRows(
    db,
    sql`${users}`,
    db.dialect.keyAmong(sql`${users.key}`, type, keys),
    sql`${users.key}`,
  )
  await db.dialect.lockRows(
    db,
    sql`${address}`,
    db.dialect.keyAmong(sql`${address.user}`, type, keys),
    sql`${address.id}`,
  )
}

/** Asks the same question as the plan, about the users at hand, with what has been committed by now. */
async function check(site: Site, candidates: Candidates, keys: readonly string[]) {
  const { users } = site.tables
  const { name, type } = site.shape.userKey
  const among = site.db.dialect.keyAmong(sql`${users.key}`, type, keys)
  const rows = await site.db.rows<Record<string, unknown>>(sql`
    with recursive ${sql.join(candidates.definitions({ and: among }), sql`, `)} select * from candidate`)
  const deletable: string[] = []
  const kept: GuardName[] = []
  for (const row of rows) {
    const guards = new Set(
      candidates.flags.filter((flag) => isTrue(row[flag.name])).map((flag) => flag.guard),
    )
    if (guards.size === 0) deletable.push(String(row[name]))
    kept.push(...guards)
  }
  return { deletable, kept }
}

async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const fault = databaseFault(error)
      if ((fault !== 'retry' && fault !== 'busy') || attempt === ATTEMPTS) throw error
      await pause(FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1) * (0.5 + Math.random()))
    }
  }
}
