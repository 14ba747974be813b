import { lstat, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { HEAD_BYTES, headIn } from './archive-format.ts'
import { bytesAt } from './archive-scan.ts'

const ARCHIVE_NAME = /^purge-.*\.ndjson\.gz$/

export interface PruneReport {
  readonly removed: number
  readonly kept: number
  /** What could not be removed, and why. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[]
}

/**
 * Removes the archives of a directory that were written before the instant. What is called like one and is none is
 * passed over. Throws a UserError when the directory cannot be read; none at all is an empty one.
 */
export async function pruneArchives(directory: string, oldest: Date): Promise<PruneReport> {
  const counts = { removed: 0, kept: 0 }
  const failed = []
  for (const name of (await namesIn(directory)).filter((each) => ARCHIVE_NAME.test(each))) {
    const path = join(directory, name)
    try {
      const done = await prune(path, oldest)
      if (done) counts[done] += 1
    } catch (error) {
      failed.push({ path, reason: fileReason(error) })
    }
  }
  return { ...counts, failed }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new UserError(`the archives in ${directory} cannot be listed: ${fileReason(cause)}`, { cause })
  }
}

/** Returns what became of the file; undefined for one that is no archive. */
async function prune(path: string, oldest: Date): Promise<'removed' | 'kept' | undefined> {
  const found = await lstat(path)
  if (!found.isFile()) return undefined
  if (found.mtime >= oldest) return 'kept'
  if (!(await isArchive(path))) return undefined
  await rm(path)
  return 'removed'
}

async function isArchive(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    return headIn(await bytesAt(file, 0, HEAD_BYTES))?.number === 0
  } finally {
    await file.close()
  }
}
