import type { ArchiveLine } from './lines.ts'
import type { OpenArchive } from './open-archive.ts'

/** A batch of an archive; no lines when it is damaged, or missing. */
export interface ArchivedBatch {
  readonly number: number
  readonly lines: readonly ArchiveLine[] | undefined
}

/** Yields the batches in the order in which they were deleted, without the header. */
export async function* archivedBatches(archive: OpenArchive): AsyncGenerator<ArchivedBatch> {
  for (let number = 1; number < archive.reader.count; number++) {
    yield { number, lines: await archivedLines(archive, number) }
  }
}

/** Yields the batches in the order in which they are put back: the last one first, and so of each its lines. */
export async function* batchesBackwards(archive: OpenArchive): AsyncGenerator<ArchivedBatch> {
  for (let number = archive.reader.count - 1; number > 0; number--) {
    yield { number, lines: (await archivedLines(archive, number))?.reverse() }
  }
}

async function archivedLines({ reader }: OpenArchive, number: number): Promise<ArchiveLine[] | undefined> {
  const lines = await reader.lines(number)
  try {
    return lines?.map((text) => JSON.parse(text) as ArchiveLine)
  } catch {
    return undefined
  }
}
