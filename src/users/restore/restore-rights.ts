import type { TableRight } from '../../db/dialect.ts'
import { UserError } from '../../errors.ts'
import type { Site } from '../../site/site.ts'
import { batchesBackwards } from '../archive/archived-batches.ts'
import { ArchivedRows, tablesHere } from '../archive/archived-rows.ts'
import type { ArchiveHeader } from '../archive/header.ts'
import { type ArchiveLine, type ClearedLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import type { OpenArchive } from '../archive/open-archive.ts'
import { Owners } from '../archive/ownership.ts'
import { TakenRows } from './taken-rows.ts'
import { Wanted } from './wanted.ts'

/** A right on columns of a line's table. */
type Need = readonly [TableRight, readonly string[]]

/**
 * Throws a UserError when this role may not put back some of what the archive holds, or of what these users had: they
 * would come back without it. Of a table that has no row in the archive no right is needed.
 */
export async function refuseWithoutRights(
  site: Site,
  archive: OpenArchive,
  users?: readonly string[],
): Promise<void> {
  const { db } = site
  const tables = tablesHere(site, archive.header)
  const lacking = {
    SELECT: await db.dialect.withoutRight(db, 'SELECT', tables),
    INSERT: await db.dialect.withoutRight(db, 'INSERT', tables),
    UPDATE: await db.dialect.withoutRight(db, 'UPDATE', tables),
  }
  // Most roles lack nothing, and need not wait until the archive has been read.
  if (Object.values(lacking).every(({ size }) => size === 0)) return
  const needs = new Needs(site, archive, users)
  for await (const { lines = [] } of batchesBackwards(archive)) {
    for (const [line, needed] of needs.in(lines)) {
      const table = needs.rows.tableOf(line)
      const refused = needed.find(([right, columns]) =>
        columns.some((name) => table && lacking[right].get(table)?.has(name)),
      )
      if (!refused) continue
      throw new UserError(`permission denied: ${refused[0]} on ${table?.label}`, {
        hint: 'nothing has been put back: GRANT that to the role; the README lists what restore needs',
      })
    }
  }
}

class Needs {
  readonly rows: ArchivedRows
  private readonly header: ArchiveHeader
  private readonly taken: TakenRows
  private readonly wanted: Wanted | undefined

  constructor(site: Site, { header }: OpenArchive, users: readonly string[] | undefined) {
    this.header = header
    this.rows = new ArchivedRows(site, header)
    this.taken = new TakenRows(site, header, this.rows)
    this.wanted = users && new Wanted(users, this.rows, this.taken)
  }

  *in(lines: readonly ArchiveLine[]): Generator<readonly [ArchiveLine, readonly Need[]]> {
    const owners = new Owners(this.header, lines)
    const own = new Set(this.wanted ? this.wanted.among(lines, owners) : lines)
    for (const line of lines) {
      if (isDeleted(line)) yield [line, this.ofDeleted(line, owners, own.has(line))]
      else if (own.has(line)) yield [line, ofCleared(line)]
    }
  }

  private ofDeleted(line: DeletedLine, owners: Owners, isOwn: boolean): Need[] {
    const cells = this.rows.cellsOf(line)
    const written = this.rows.writtenColumns(line).map(({ column }) => column.name)
    // It may be back before what it refers to is.
    const filledIn = this.taken
      .referencesOf(this.rows.tableNameOf(line))
      .filter(
        (reference) =>
          reference.optional &&
          reference.columns.every((name) => (cells.get(name) ?? null) !== null) &&
          (isOwn || this.wanted?.has({ line, reference }, owners)),
      )
    return [
      // Also of those that are to stay out it is looked which are there.
      ['SELECT', [...cells.keys()]],
      ...(isOwn ? [['INSERT', written] as const] : []),
      ...filledIn.map(({ columns }): Need => ['UPDATE', columns]),
    ]
  }
}

function ofCleared({ key, was }: ClearedLine): Need[] {
  return [
    ['SELECT', Object.keys({ ...key, ...was })],
    ['UPDATE', Object.keys(was)],
  ]
}
