import { constants, existsSync } from 'node:fs'
import { access, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Where directories cannot be opened, or not synced, as on Windows. PostgreSQL passes over the same ones. */
const NOT_SYNCED: ReadonlySet<unknown> = new Set(['EISDIR', 'EACCES', 'EPERM', 'EBADF', 'EINVAL'])

/**
 * Creates the directory for its owner only, and those above it that are missing. Not by Node itself: where nothing can
 * be made, as in /proc, it would try for ever.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path)
  } catch (error) {
    if (!isMissing(error) || existsSync(dirname(path))) throw error
    await makeDirectory(dirname(path))
    await makeOne(path)
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
    await syncDirectory(dirname(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Makes nothing. Throws when the directory, or the nearest one above it that is there, is none or may not be written to. */
export async function checkDirectory(path: string): Promise<void> {
  try {
    // With a slash at the end only a directory is found.
    await access(`${path}/`, constants.W_OK | constants.X_OK)
  } catch (error) {
    if (!isMissing(error)) throw error
    await checkDirectory(dirname(path))
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Returns once the names in the directory are on the disk: to sync a file does not keep its name through a power loss. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    await directory.sync().finally(() => directory.close())
  } catch (error) {
    if (!NOT_SYNCED.has((error as NodeJS.ErrnoException).code)) throw error
  }
}
