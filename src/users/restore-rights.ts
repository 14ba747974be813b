import type { TableRight } from '../db/dialect.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveLine, ClearedLine, DeletedLine } from './archive.ts'
import { archivedLines } from './archived-lines.ts'
import { type ArchivedReference, referencesAmong } from './archived-references.ts'
import { ArchivedRows } from './archived-rows.ts'
import type { OpenArchive } from './open-archive.ts'
import { Owners } from './ownership.ts'

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
  const { db, shape } = site
  const { header, reader } = archive
  const tables = header.tables.flatMap(({ name }) => shape.catalog.tables.get(name) ?? [])
  const lacking = {
    SELECT: await db.dialect.withoutRight(db, 'SELECT', tables),
    INSERT: await db.dialect.withoutRight(db, 'INSERT', tables),
    UPDATE: await db.dialect.withoutRight(db, 'UPDATE', tables),
  }
  // Most roles lack nothing, and need not wait until the archive has been read.
  if (Object.values(lacking).every(({ size }) => size === 0)) return
  const needs = new Needs(site, archive, users)
  for (let number = 1; number < reader.count; number++) {
    const lines = (await archivedLines(archive, number)) ?? []
    const owners = new Owners(header, lines)
    for (const line of lines) {
      const table = needs.rows.tableOf(line)
      if (!table) continue
      const refused = needs
        .of(line, owners)
        .find(([right, columns]) => columns.some((name) => lacking[right].get(table)?.has(name)))
      if (!refused) continue
      throw new UserError(`permission denied: ${refused[0]} on ${table.label}`, {
        hint: 'nothing has been put back: GRANT that to the role; the README lists what restore needs',
      })
    }
  }
}

class Needs {
  readonly rows: ArchivedRows
  private readonly optional: readonly ArchivedReference[]
  private readonly wanted: ReadonlySet<string> | undefined

  constructor(site: Site, { header }: OpenArchive, users: readonly string[] | undefined) {
    this.rows = new ArchivedRows(site, header)
    this.optional = referencesAmong(site, header).filter(({ optional }) => optional)
    this.wanted = users && new Set(users)
  }

  of(line: ArchiveLine, owners: Owners): Need[] {
    const isOwn = this.isWanted(() => owners.of(line))
    return 'd' in line ? this.ofDeleted(line, owners, isOwn) : isOwn ? ofCleared(line) : []
  }

  private ofDeleted(line: DeletedLine, owners: Owners, isOwn: boolean): Need[] {
    const cells = this.rows.cellsOf(line)
    const written = this.rows.writtenColumns(line).map(({ column }) => column.name)
    // It may be back before what it refers to is.
    const filledIn = this.optional.filter(
      ({ table, columns }) =>
        table === this.rows.tableNameOf(line) &&
        columns.every((name) => (cells.get(name) ?? null) !== null) &&
        (isOwn || this.isWanted(() => owners.ofReferred(line, columns))),
    )
    return [
      // Also of those that are to stay out it is looked which are there.
      ['SELECT', [...cells.keys()]],
      ...(isOwn ? [['INSERT', written] as const] : []),
      ...filledIn.map(({ columns }): Need => ['UPDATE', columns]),
    ]
  }

  private isWanted(owner: () => string | undefined): boolean {
    return !this.wanted || this.wanted.has(owner() ?? '')
  }
}

function ofCleared({ key, was, beside = {} }: ClearedLine): Need[] {
  return [
    ['SELECT', Object.keys({ ...key, ...was, ...beside })],
    ['UPDATE', Object.keys(was)],
  ]
}
