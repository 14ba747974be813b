import type { Cell } from '../db/dialect.ts'
import { UserError } from '../errors.ts'
import { archivedLines } from './archived-lines.ts'
import type { OpenArchive } from './open-archive.ts'

/** Somebody in an archive. */
export interface ArchivedUser {
  readonly id: string
  readonly username: string
  readonly email: string
}

/**
 * Yields the users whom an archive holds, in the order in which they were deleted. Throws a UserError at the end when
 * some of it is damaged or missing.
 */
export async function* archivedUsers(archive: OpenArchive): AsyncGenerator<ArchivedUser> {
  const { header, reader } = archive
  const users = header.tables.findIndex((table) => table.name === header.users)
  const columns = header.tables[users]?.columns ?? []
  const at = (row: readonly Cell[], column: string) => String(row[columns.indexOf(column)] ?? '')
  const lost: number[] = []
  for (let number = 1; number < reader.count; number++) {
    const lines = await archivedLines(archive, number)
    if (!lines) lost.push(number)
    for (const line of lines ?? []) {
      if (!('d' in line) || line.d !== users) continue
      yield {
        id: at(line.row, header.user_key),
        username: at(line.row, 'username'),
        email: at(line.row, 'email'),
      }
    }
  }
  if (lost.length === 0) return
  throw new UserError(
    `${lost.length} of the ${reader.count - 1} batches of the archive are damaged or missing: ${lost.join(', ')}`,
    { hint: 'whoever is in them is not shown' },
  )
}
