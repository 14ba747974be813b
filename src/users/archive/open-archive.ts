import { UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import { jsonIn } from '../../json.ts'
import { refuseIrregular } from '../../regular-file.ts'
import { ARCHIVE_FORMAT, type ArchiveHeader } from './header.ts'
import { ArchiveReader } from './reader.ts'
import { holdsArchiveText } from './repacked-archive.ts'

/** An archive to read from. */
export interface OpenArchive {
  readonly path: string
  readonly reader: ArchiveReader
  readonly header: ArchiveHeader
}

/**
 * Reads an archive's header. Throws a UserError when the file is not an archive, too new a one, or several: what one
 * says about its tables is not true of another.
 */
export async function openArchive(path: string): Promise<OpenArchive> {
  await refuseIrregular(path)
  const reader = await ArchiveReader.open(path).catch((cause) => {
    throw new UserError(`the archive ${path} cannot be read: ${fileReason(cause)}`, { cause })
  })
  try {
    const [first] = (await reader.lines(0)) ?? []
    if (first === undefined && reader.batches === 0) await refuseRepacked(path)
    const header = await headerFrom(first, path)
    if (reader.hasSeveral) {
      throw new UserError('there are several archives in this file', {
        hint: 'give each as a file of its own: what one says about its tables is not true of another',
      })
    }
    return { path, reader, header }
  } catch (error) {
    await reader.close()
    throw error
  }
}

/** Its batches cannot be found, and nobody can tell any more whether all are there. */
async function refuseRepacked(path: string): Promise<void> {
  if (!(await holdsArchiveText(path))) return
  throw new UserError(`${path} has been unpacked since purge wrote it`, {
    hint: 'give the file as purge wrote it: one that was unpacked, or packed again, is not read',
  })
}

async function headerFrom(line: string | undefined, path: string): Promise<ArchiveHeader> {
  // The validator is large.
  const { isArchiveHeader } = await import('./header-schema.ts')
  const content = jsonIn(line ?? '')
  if (isArchiveHeader(content)) return content
  const { format } = (content ?? {}) as Partial<ArchiveHeader>
  throw new UserError(
    format === undefined || format === ARCHIVE_FORMAT
      ? `${path}: not an archive of usermgmt, or damaged at its beginning`
      : `${path} is not an archive that this version reads`,
    { hint: 'archives are made by purge, and are called purge-….ndjson.gz' },
  )
}
