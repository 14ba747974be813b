import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from './criteria.ts'

export interface PurgeProgress {
  readonly done: number
  readonly total: number
}

export interface PurgeOptions {
  readonly batchSize: number
  /** PostgreSQL batches worked on at once. */
  readonly jobs: number
  readonly onProgress?: ((progress: PurgeProgress) => void) | undefined
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
  /** Stopped before its end: by a signal, or by a database that went away. */
  readonly stopped?: 'interrupted' | { readonly error: unknown } | undefined
}
