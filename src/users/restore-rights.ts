import type { Table } from '../db/catalog.ts'
import type { TableRight } from '../db/dialect.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveLine } from './archive.ts'
import { archivedLines } from './archived-lines.ts'
import type { OpenArchive } from './open-archive.ts'

/** What each kind of line takes. */
const NEEDED: Readonly<Record<'deleted' | 'cleared', readonly TableRight[]>> = {
  deleted: ['SELECT', 'INSERT'],
  cleared: ['SELECT', 'UPDATE'],
}

/**
 * Throws a UserError when this role may not put back some of what the archive holds: users would come back without it.
 * Of a table that has no row in the archive no right is needed.
 */
export async function refuseWithoutRights({ db, shape }: Site, archive: OpenArchive): Promise<void> {
  const tables = archive.header.tables.map(({ name }) => shape.catalog.tables.get(name))
  const known = tables.filter((table) => table !== undefined)
  const lacking = {
    SELECT: await db.dialect.withoutRight(db, 'SELECT', known),
    INSERT: await db.dialect.withoutRight(db, 'INSERT', known),
    UPDATE: await db.dialect.withoutRight(db, 'UPDATE', known),
  }
  // Most roles lack nothing, and need not wait until the archive has been read.
  if (Object.values(lacking).every(({ size }) => size === 0)) return
  for (let number = 1; number < archive.reader.count; number++) {
    for (const line of (await archivedLines(archive, number)) ?? []) {
      const { table, kind } = touchedBy(line, tables)
      const right = NEEDED[kind].find((each) => table && lacking[each].has(table))
      if (right === undefined) continue
      throw new UserError(`permission denied: ${right} on ${table?.label}`, {
        hint: 'nothing has been put back: GRANT that to the role; the README lists what restore needs',
      })
    }
  }
}

function touchedBy(line: ArchiveLine, tables: readonly (Table | undefined)[]) {
  return 'd' in line
    ? ({ table: tables[line.d], kind: 'deleted' } as const)
    : ({ table: tables[line.n], kind: 'cleared' } as const)
}
