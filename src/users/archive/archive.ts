import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '../../db/catalog.ts'
import type { Cell } from '../../db/dialect.ts'
import { type Instant, instantOf } from '../../django/datetime.ts'
import { UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import type { Dependents } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import type { Criteria } from '../criteria.ts'
import { makeDirectory, syncDirectory } from './directory.ts'
import { type SiteDatabase, siteDatabase } from './site-database.ts'
import { type ArchiveBatch, ArchiveWriter } from './writer.ts'

export const ARCHIVE_FORMAT = 1

/** What a table was like when its rows were deleted; rows are arrays in the order of `columns`. */
export interface ArchivedTable {
  readonly name: string
  readonly columns: readonly string[]
  readonly types: readonly string[]
}

export interface ArchivedEdge {
  readonly rule: 'delete' | 'set-null'
  readonly table: number
  readonly columns: readonly string[]
  readonly references: number
  readonly referenced: readonly string[]
}

/** The first line of an archive. */
export interface ArchiveHeader {
  readonly usermgmt: string
  readonly format: number
  /** Where the users were. */
  readonly database: SiteDatabase
  readonly started: Instant
  readonly users: string
  readonly user_key: string
  /** Those that the user model has. */
  readonly user_columns: { readonly username?: string | undefined; readonly email?: string | undefined }
  readonly email_addresses: string
  readonly tables: readonly ArchivedTable[]
  /** Through which columns rows hang on others: to find what belongs to one user. */
  readonly edges: readonly ArchivedEdge[]
  readonly criteria: Criteria
}

/** A further line: a row that was deleted, or one whose columns were set to NULL, with the values before. */
export type ArchiveLine = DeletedLine | ClearedLine

export interface DeletedLine {
  readonly d: number
  readonly row: readonly Cell[]
}

export interface ClearedLine {
  readonly n: number
  readonly key: Readonly<Record<string, Cell>>
  readonly was: Readonly<Record<string, Cell>>
}

/** The last line of an archive: how the purge has ended, and what it had done by then. */
export interface ArchiveEndLine {
  readonly end: 'done' | 'stopped' | 'interrupted'
  /** In the file, also those whose transaction was taken back. */
  readonly batches: number
  /** Deleted. */
  readonly users: number
}

/** Returns the line, without its end, of a deleted row of the table with this number; the image is JSON already. */
export function deletedLine(table: number, image: string): string {
  return `{"d":${table},"row":${image}}`
}

/** Where a run puts what it removes, a batch at a time, before the batch is committed. */
export class Archive {
  readonly path: string
  /** Nothing but the header: nobody has been handed over. */
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
    this.isEmpty = false
    await explained(this.path, () => batch.save())
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

const NO_ROOM = 'nothing is deleted without it: make room, or name another directory with --archive'
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  REMOVED: 'who was deleted so far is in no archive any more: see what removed it, then run it again',
}
const HINT =
  'nothing is deleted without it: name another directory with --archive, or go without (--no-archive)'

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

/** Returns the header of a run that starts now. */
export function archiveHeader(
  site: Site,
  dependents: Dependents,
  criteria: Criteria,
  run: { readonly version: string; readonly identity: string; readonly now: Date },
): ArchiveHeader {
  const tables = archivedTables(dependents)
  const numbers = new Map(tables.map((table, i) => [table, i]))
  const { users, userKey, userColumns, emailAddresses } = site.shape
  return {
    usermgmt: run.version,
    format: ARCHIVE_FORMAT,
    database: siteDatabase(site, run.identity),
    started: instantOf(run.now),
    users: users.label,
    user_key: userKey.name,
    user_columns: { username: userColumns.get('username'), email: userColumns.get('email') },
    email_addresses: emailAddresses.label,
    tables: tables.map((table) => ({
      name: table.label,
      columns: table.columns.map((column) => column.name),
      types: table.columns.map((column) => column.type),
    })),
    edges: dependents.edges.flatMap(({ rule, ...edge }) =>
      rule === 'keep'
        ? []
        : [
            {
              rule,
              table: numbers.get(edge.table) ?? -1,
              columns: edge.columns,
              references: numbers.get(edge.references) ?? -1,
              referenced: edge.referencedColumns,
            },
          ],
    ),
    criteria: { ...criteria, selection: { ...criteria.selection, userIds: undefined } },
  }
}

/** Returns the tables that an archive names by number: those that lose rows, and those that lose a reference. */
export function archivedTables(dependents: Dependents): Table[] {
  const cleared = dependents.edges.filter((edge) => edge.rule === 'set-null').map((edge) => edge.table)
  return [...new Set([...dependents.order.flat(), ...cleared])]
}
