import type { Site } from '../../site/site.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import type { Owners } from '../archive/ownership.ts'
import type { PresentBatch } from './find-present.ts'
import type { RestoreTally } from './restore-report.ts'
import type { TakenRows } from './taken-rows.ts'
import type { Wanted } from './wanted.ts'

/** What rows are put back with: one transaction. */
export interface PuttingBack {
  /** As it is within the transaction. */
  readonly site: Site
  readonly rows: ArchivedRows
  readonly owners: Owners
  /** Undefined: everything is. */
  readonly wanted: Wanted | undefined
  readonly taken: TakenRows
  readonly present: PresentBatch
  readonly tally: RestoreTally
  /** Keys of users who have got back a verified address, in any batch. */
  readonly verifiers: Set<string>
}
