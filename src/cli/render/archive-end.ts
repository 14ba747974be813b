import type { ArchiveExtent } from '../../users/archive/reader.ts'
import { counted } from '../../values/numbers.ts'

/** Returns what is to be known of an archive that does not tell how its purge has ended; undefined when it does. */
export function archiveEndNote({ batches, end }: ArchiveExtent): string | undefined {
  if (end === 'whole') return undefined
  const held = `it holds ${counted(batches, 'batch', 'batches')}`
  return end === 'torn'
    ? `this archive ends in the middle of a batch: unless it was cut since, that batch was never deleted; ${held}`
    : `this archive has no end: the purge is still at work, was killed or failed, or the file was cut since; ${held}`
}
