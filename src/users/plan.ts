import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from './criteria.ts'

/** A table whose rows keep candidates (the guard `content`). */
export interface KeepingTable {
  /** `blog_post.author_id`. */
  readonly edge: string
  readonly users: number
  /** The option that would change it: `--cascade blog_post.author_id`. */
  readonly option: string
}

/** A referencing column without an index, and the statement that makes one. */
export interface MissingIndex {
  readonly edge: string
  readonly statement: string
  /** PostgreSQL's estimate, -1 where unknown. */
  readonly rows: number
}

export interface PurgePlan {
  readonly since: string
  readonly matched: number
  readonly toDelete: number
  /** Guard → candidates it keeps. A user whom two guards keep counts for both. */
  readonly kept: Readonly<Partial<Record<GuardName, number>>>
  /** Table → rows to delete, the user table included. */
  readonly tables: Readonly<Record<string, number>>
  /** `table.column` → rows to set to NULL. */
  readonly nulled: Readonly<Record<string, number>>
  readonly keeping: readonly KeepingTable[]
  readonly missingIndexes: readonly MissingIndex[]
  /** All users of the site, for the circuit breaker. */
  readonly users: number
}

/** Returns what a purge would do, counted in one snapshot. */
export declare function planPurge(site: Site, criteria: Criteria): Promise<PurgePlan>
