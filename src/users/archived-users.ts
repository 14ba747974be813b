import type { Cell } from '../db/dialect.ts'
import type { ArchiveLine } from './archive.ts'
import type { OpenArchive } from './open-archive.ts'

/** Somebody in an archive. */
export interface ArchivedUser {
  readonly id: string
  readonly username: string
  readonly email: string
}

/** Yields the users whom an archive holds, in the order in which they were deleted. */
export async function* archivedUsers({ header, reader }: OpenArchive): AsyncGenerator<ArchivedUser> {
  const users = header.tables.findIndex((table) => table.name === header.users)
  const columns = header.tables[users]?.columns ?? []
  const at = (row: readonly Cell[], column: string) => String(row[columns.indexOf(column)] ?? '')
  for (let number = 1; number < reader.count; number++) {
    for (const text of (await reader.lines(number)) ?? []) {
      const line = JSON.parse(text) as ArchiveLine
      if (!('d' in line) || line.d !== users) continue
      yield {
        id: at(line.row, header.user_key),
        username: at(line.row, 'username'),
        email: at(line.row, 'email'),
      }
    }
  }
}
