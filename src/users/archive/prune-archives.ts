import { type FileHandle, lstat, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import { HEAD_BYTES, headIn } from './format.ts'
import { bytesAt, scanArchive } from './scan.ts'

const ARCHIVE_NAME = /^purge-.*\.ndjson\.gz$/

/** A purge writes with every batch: one that has not for so long is not at work any more. */
const SILENCE_MILLISECONDS = 24 * 60 * 60 * 1000

export interface PruneReport {
  /** There is no such directory. */
  readonly isMissing: boolean
  readonly removed: number
  readonly kept: number
  /** Kept as well: without an end, and written to of late. */
  readonly unfinished: number
  /** What could not be removed, and why. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[]
}

/**
 * Removes the archives of a directory that were written before the instant, but not those whose purge may still be at
 * work. What is called like one and is none is passed over. Throws a UserError when the directory cannot be
 * read.
 */
export async function pruneArchives(
  directory: string,
  { oldest, now }: { readonly oldest: Date; readonly now: Date },
): Promise<PruneReport> {
  const counts = { removed: 0, kept: 0, unfinished: 0 }
  const silentSince = new Date(now.getTime() - SILENCE_MILLISECONDS)
  const failed = []
  const names = await namesIn(directory)
  for (const name of names?.filter((each) => ARCHIVE_NAME.test(each)) ?? []) {
    const path = join(directory, name)
    try {
      const done = await prune(path, oldest, silentSince)
      if (done) counts[done] += 1
    } catch (error) {
      failed.push({ path, reason: fileReason(error) })
    }
  }
  return { isMissing: names === undefined, ...counts, failed }
}

async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UserError(`the archives in ${directory} cannot be listed: ${fileReason(cause)}`, { cause })
  }
}

/** Returns what became of the file; undefined for one that is no archive. */
async function prune(
  path: string,
  oldest: Date,
  silentSince: Date,
): Promise<'removed' | 'kept' | 'unfinished' | undefined> {
  const found = await lstat(path)
  if (!found.isFile()) return undefined
  if (found.mtime >= oldest) return 'kept'
  const file = await open(path, 'r')
  try {
    if (!(await isArchive(file))) return undefined
    if (found.mtime >= silentSince && (await scanArchive(file)).end !== 'whole') return 'unfinished'
  } finally {
    await file.close()
  }
  await rm(path)
  return 'removed'
}

async function isArchive(file: FileHandle): Promise<boolean> {
  return headIn(await bytesAt(file, 0, HEAD_BYTES))?.number === 0
}
