import type { ArchiveLine } from './lines.ts'
import type { OpenArchive } from './open-archive.ts'

/** Returns the lines of a batch of the archive; undefined when it is damaged, or missing. */
export async function archivedLines(
  { reader }: OpenArchive,
  number: number,
): Promise<ArchiveLine[] | undefined> {
  const lines = await reader.lines(number)
  try {
    return lines?.map((text) => JSON.parse(text) as ArchiveLine)
  } catch {
    return undefined
  }
}
