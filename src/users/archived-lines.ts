import { UserError } from '../errors.ts'
import type { ArchiveLine } from './archive.ts'
import type { OpenArchive } from './open-archive.ts'

/**
 * Returns the lines of a batch of the archive, undefined when it is damaged.
 * Throws a UserError when another archive begins there: its lines mean other tables.
 */
export async function archivedLines(
  { reader }: OpenArchive,
  number: number,
): Promise<ArchiveLine[] | undefined> {
  const lines = parsed(await reader.lines(number))
  if (lines?.some((line) => 'format' in line)) {
    throw new UserError('there are several archives in this file', {
      hint: 'give each as a file of its own: what one says about its tables is not true of another',
    })
  }
  return lines
}

function parsed(texts: readonly string[] | undefined): ArchiveLine[] | undefined {
  try {
    return texts?.map((text) => JSON.parse(text) as ArchiveLine)
  } catch {
    return undefined
  }
}
