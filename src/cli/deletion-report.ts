import type { ArchivedReport } from '../users/purge/purge-archived.ts'

/** What a purge has done, and how to undo it. */
export interface DeletionReport extends ArchivedReport {
  /** The command that puts it back. */
  readonly undo?: string | undefined
}

/** Returns the file that holds what was deleted; null for one that is not there any more, and without one. */
export function recordedArchive({ archive, lostArchive }: DeletionReport): string | null {
  return lostArchive === undefined ? (archive ?? null) : null
}
