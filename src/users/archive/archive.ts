import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory, syncDirectory } from '../../directory.ts'
import { UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import type { ArchiveHeader } from './header.ts'
import type { ArchiveEndLine } from './lines.ts'
import { type ArchiveBatch, ArchiveWriter } from './writer.ts'

/** Where a run puts what it removes, a batch at a time, before the batch is committed. */
export class Archive {
  readonly path: string
  /** Nothing but the header, and what is left of a batch that could not be written: nobody is in it. */
  isEmpty = true
  private readonly writer: ArchiveWriter

  private constructor(path: string, writer: ArchiveWriter) {
    this.path = path
    this.writer = writer
  }

  /**
   * Creates the directory and the file, and writes the header: once on the disk, they stay there. Throws a UserError
   * when that cannot be done.
   */
  static async create(directory: string, header: ArchiveHeader): Promise<Archive> {
    const stamp = header.started.replace(/[-:]/g, '').replace(/\.\d+/, '')
    const path = join(directory, `purge-${stamp}-${randomBytes(3).toString('hex')}.ndjson.gz`)
    return explained(path, async () => {
      await makeDirectory(directory)
      const archive = new Archive(path, await ArchiveWriter.create(path))
      try {
        await archive.begin(header)
        await syncDirectory(directory)
        return archive
      } catch (error) {
        await archive.close().catch(() => {})
        throw error
      }
    })
  }

  private async begin(header: ArchiveHeader): Promise<void> {
    const first = this.writer.batch()
    first.add(JSON.stringify(header))
    await first.save()
  }

  /** Returns a batch to be filled. */
  batch(mostBytes?: number): ArchiveBatch {
    return this.writer.batch(mostBytes)
  }

  /** Returns once the batch is on the disk. */
  async save(batch: ArchiveBatch): Promise<void> {
    await explained(this.path, () => batch.save())
    // A batch that is not saved is not committed either.
    this.isEmpty = false
  }

  /**
   * Writes how the purge has ended; nothing may follow. Never throws: everything can be put back without it, and who
   * does will be told that it is not there.
   */
  async end(ending: Omit<ArchiveEndLine, 'batches'>): Promise<void> {
    if (this.isEmpty) return
    const line: ArchiveEndLine = { ...ending, batches: this.writer.count - 1 }
    const last = this.writer.endBatch()
    last.add(JSON.stringify(line))
    await last.save().catch(() => {})
  }

  /** True unless somebody has removed or moved the file; to be asked before it is closed. */
  isInPlace(): Promise<boolean> {
    return this.writer.isAt(this.path)
  }

  /** Closes the file; an empty one is removed. */
  async close(): Promise<void> {
    try {
      await this.writer.close()
    } finally {
      if (this.isEmpty) await rm(this.path, { force: true })
    }
  }
}

const NO_ROOM = 'nobody is deleted whom it does not hold: make room, or name another directory with --archive'
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  REMOVED: 'who was deleted so far is in no archive any more: see what removed it, then run it again',
  CHANGED: 'who was deleted so far may be in it no more: see what changed it, then run it again',
}
const HINT =
  'nobody is deleted whom it does not hold: name another directory with --archive, or go without (--no-archive)'

/** An archive that cannot be written. Nothing that it does not hold may be deleted. */
export class ArchiveError extends UserError {}

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new ArchiveError(`the archive ${path} cannot be written: ${fileReason(cause)}`, {
      hint: HINTS[(cause as NodeJS.ErrnoException).code ?? ''] ?? HINT,
      cause,
    })
  }
}
