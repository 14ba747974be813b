import { existsSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Where directories cannot be opened, or not synced, as on Windows. PostgreSQL passes over the same ones. */
const NOT_SYNCED: ReadonlySet<unknown> = new Set(['EISDIR', 'EACCES', 'EPERM', 'EBADF', 'EINVAL'])

/**
 * Creates the directory for its owner only, and those above it that are missing. Not by Node itself: where nothing can
 * be made, as in /proc, it would try for ever.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
    await syncDirectory(dirname(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    await makeDirectory(dirname(path))
    await makeDirectory(path)
  }
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
