import type { Cell } from '../../db/dialect.ts'

/** A further line: a row that was deleted, or one whose columns were set to NULL, with the values before. */
export type ArchiveLine = DeletedLine | ClearedLine

export interface DeletedLine {
  /** The number of the table in the header. */
  readonly d: number
  readonly row: readonly Cell[]
}

export interface ClearedLine {
  /** The number of the table in the header. */
  readonly n: number
  readonly key: Readonly<Record<string, Cell>>
  /** The values before. */
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

/** Returns the number of the line's table. */
export function tableNumber(line: ArchiveLine): number {
  return isDeleted(line) ? line.d : line.n
}

/** True for the line of a row that was deleted. */
export function isDeleted(line: ArchiveLine): line is DeletedLine {
  return 'd' in line
}
