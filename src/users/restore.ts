import { type SQL, sql } from 'drizzle-orm'
import { type Column, columnOf, type Table } from '../db/catalog.ts'
import type { Cell } from '../db/dialect.ts'
import { shortReason } from '../db/errors.ts'
import { columnList, tableName } from '../db/identifiers.ts'
import type { Db } from '../db/port.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import {
  ARCHIVE_FORMAT,
  type ArchiveHeader,
  type ArchiveLine,
  type ClearedLine,
  type DeletedLine,
} from './archive.ts'
import { ArchiveReader } from './archive-file.ts'
import { type OwnedLine, withOwners } from './ownership.ts'

/** What could not be put back, and why. */
export interface RestoreFailure {
  /** The user to whom it belongs, by id, when the archive tells. */
  readonly user: string | undefined
  readonly table: string
  readonly reason: string
}

export interface RestoreReport {
  /** Table → rows put back. */
  readonly restored: Readonly<Record<string, number>>
  /** `table` → rows whose references were put back. */
  readonly relinked: Readonly<Record<string, number>>
  /** Rows that are there already. */
  readonly skipped: number
  readonly failed: readonly RestoreFailure[]
  /** The archive ends in the middle of a batch, which was therefore never committed. */
  readonly torn: boolean
}

export interface RestoreOptions {
  /** Only what belongs to these users, by key; everybody when undefined. */
  readonly users?: readonly string[] | undefined
  /** Find out what would happen, and take it back. */
  readonly dryRun?: boolean | undefined
}

/** Reads an archive's header. Throws a UserError when the file is not an archive, or too new a one. */
export async function openArchive(path: string): Promise<{ reader: ArchiveReader; header: ArchiveHeader }> {
  const reader = await ArchiveReader.open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(`the archive ${path} cannot be read`, {
      hint: cause.code === 'ENOENT' ? 'there is no such file' : 'see who may read it',
      cause,
    })
  })
  const [first] = (await reader.lines(0)) ?? []
  const header = first === undefined ? undefined : (JSON.parse(first) as ArchiveHeader)
  if (header?.format === ARCHIVE_FORMAT) return { reader, header }
  await reader.close()
  throw new UserError(`${path} is not an archive that this version reads`, {
    hint: 'archives are made by purge, and are called purge-….ndjson.gz',
  })
}

/**
 * Puts back what an archive holds, the last batch first: whatever was deleted later cannot hang on what was deleted
 * before it. Each batch is one transaction. Rows that are there already are left as they are.
 */
export async function restore(
  site: Site,
  { reader, header }: { reader: ArchiveReader; header: ArchiveHeader },
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const restoration = new Restoration(site, header, options)
  for (let number = reader.count - 1; number > 0; number--) {
    const lines = (await reader.lines(number))?.map((line) => JSON.parse(line) as ArchiveLine)
    if (lines) await restoration.putBack(lines.reverse())
    else restoration.damaged(number)
  }
  return restoration.report(reader.isTorn)
}

/** Ends a dry run's transaction without a trace. */
class TakeBack extends Error {}

class Restoration {
  private readonly site: Site
  private readonly header: ArchiveHeader
  private readonly options: RestoreOptions
  private readonly tables: readonly (Table | undefined)[]
  private readonly wanted: ReadonlySet<string> | undefined
  private readonly total: Tally = newTally()

  constructor(site: Site, header: ArchiveHeader, options: RestoreOptions) {
    this.site = site
    this.header = header
    this.options = options
    this.tables = header.tables.map((table) => site.shape.catalog.tables.get(table.name))
    this.wanted = options.users && new Set(options.users)
  }

  /** Tries the batch as a whole; when some row is refused, row by row. */
  async putBack(lines: readonly ArchiveLine[]): Promise<void> {
    const owned = this.ownedLines(lines)
    if (owned.length === 0) return
    const tally =
      (await this.attempt(owned, false).catch(() => undefined)) ?? (await this.attempt(owned, true))
    for (const [name, rows] of tally.restored) add(this.total.restored, name, rows)
    for (const [name, rows] of tally.relinked) add(this.total.relinked, name, rows)
    this.total.skipped += tally.skipped
    this.total.failed.push(...tally.failed)
  }

  damaged(number: number): void {
    this.total.failed.push({
      user: undefined,
      table: '',
      reason: `batch ${number} of the archive is damaged`,
    })
  }

  report(torn: boolean): RestoreReport {
    const { restored, relinked, skipped, failed } = this.total
    return {
      restored: Object.fromEntries(restored),
      relinked: Object.fromEntries(relinked),
      skipped,
      failed,
      torn,
    }
  }

  private ownedLines(lines: readonly ArchiveLine[]): OwnedLine[] {
    return withOwners(this.header, lines).filter(
      ({ owner }) => !this.wanted || (owner !== undefined && this.wanted.has(owner)),
    )
  }

  private async attempt(lines: readonly OwnedLine[], rowByRow: boolean): Promise<Tally> {
    const tally = newTally()
    try {
      await this.site.db.transaction('write', async (tx) => {
        await tx.dialect.deferForeignKeys(tx)
        const batch = new BatchRestoration(tx, this.site, this.header, this.tables, tally)
        if (rowByRow) await batch.tryLines(lines)
        else for (const line of lines) await batch.line(line)
        await tx.dialect.checkForeignKeys(tx)
        if (this.options.dryRun) throw new TakeBack()
      })
    } catch (error) {
      if (!(error instanceof TakeBack)) throw error
    }
    return tally
  }
}

interface Tally {
  readonly restored: Map<string, number>
  readonly relinked: Map<string, number>
  skipped: number
  readonly failed: RestoreFailure[]
}

function newTally(): Tally {
  return { restored: new Map(), relinked: new Map(), skipped: 0, failed: [] }
}

class BatchRestoration {
  private readonly tx: Db
  private readonly site: Site
  private readonly header: ArchiveHeader
  private readonly tables: readonly (Table | undefined)[]
  private readonly tally: Tally

  constructor(
    tx: Db,
    site: Site,
    header: ArchiveHeader,
    tables: readonly (Table | undefined)[],
    tally: Tally,
  ) {
    this.tx = tx
    this.site = site
    this.header = header
    this.tables = tables
    this.tally = tally
  }

  async line(owned: OwnedLine): Promise<void> {
    if ('d' in owned.line) await this.insert(owned.line, owned.owner)
    else await this.relink(owned.line, owned.owner)
  }

  /** A row whose parent is not there may find it once the others are. */
  async tryLines(lines: readonly OwnedLine[]): Promise<void> {
    let waiting = lines
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length
      const orphans: OwnedLine[] = []
      for (const owned of waiting) {
        if (await this.missingParent(owned)) orphans.push(owned)
        else await this.tryLine(owned)
      }
      waiting = orphans
    }
    for (const owned of waiting) {
      this.fail(owned, `a row it depends on is gone: ${await this.missingParent(owned)}`)
    }
  }

  /** A row that is refused must not take the others with it. */
  private async tryLine(owned: OwnedLine): Promise<void> {
    await this.tx.run(sql`savepoint one_row`)
    try {
      await this.line(owned)
    } catch (error) {
      await this.tx.run(sql`rollback to savepoint one_row`)
      this.fail(owned, shortReason(error))
    }
    await this.tx.run(sql`release savepoint one_row`)
  }

  private async insert(line: DeletedLine, owner: string | undefined): Promise<void> {
    const table = this.tables[line.d]
    const cells = this.cells(line)
    if (!table) return this.fail({ line, owner }, 'the table is gone')
    const gone = this.header.tables[line.d]?.columns.filter((name) => !columnOf(table, name)) ?? []
    const written = table.columns.flatMap((column) => {
      const cell = cells.get(column.name)
      return cell === undefined || column.generated ? [] : [{ column, cell }]
    })
    const values = written.map(({ column, cell }) => this.tx.dialect.cellValue(cell, column.type))
    const inserted = await this.tx.rows(sql`insert into ${tableName(table)}
      (${columnList(written.map(({ column }) => column.name))}) ${this.tx.dialect.overridingIdentity}
      values (${sql.join(values, sql`, `)}) on conflict do nothing returning 1`)
    if (inserted.length > 0) {
      add(this.tally.restored, table.label, 1)
      if (gone.length > 0)
        this.fail({ line, owner }, `put back without columns that have disappeared: ${gone.join(', ')}`)
    } else if (await this.isThere(table, written)) {
      this.tally.skipped += 1
    } else {
      this.fail({ line, owner }, 'its id, or a value that must be unique, is taken by now')
    }
  }

  private async relink(line: ClearedLine, owner: string | undefined): Promise<void> {
    const table = this.tables[line.n]
    if (!table) return this.fail({ line, owner }, 'the table is gone')
    const columns = Object.keys(line.was)
    const set = columns.map(
      (name) => sql`${sql.identifier(name)} = ${this.value(table, name, line.was[name] ?? null)}`,
    )
    const clear = columns.map((name) => sql`${sql.identifier(name)} is null`)
    const key = this.matches(table, Object.entries(line.key))
    const updated = await this.tx.rows(
      sql`update ${tableName(table)} set ${sql.join(set, sql`, `)} where ${key} and ${sql.join(clear, sql` and `)} returning 1`,
    )
    if (updated.length > 0) return add(this.tally.relinked, table.label, 1)
    const same = this.matches(table, [...Object.entries(line.key), ...Object.entries(line.was)])
    const found = await this.tx.rows(sql`select 1 from ${tableName(table)} where ${same}`)
    if (found.length > 0) this.tally.skipped += 1
    else
      this.fail(
        { line, owner },
        'the row that referred to the user is gone, or refers to somebody else by now',
      )
  }

  private async isThere(table: Table, written: readonly { column: Column; cell: Cell }[]): Promise<boolean> {
    const names = table.primaryKey.length > 0 ? table.primaryKey : written.map(({ column }) => column.name)
    const key = written.filter(({ column }) => names.includes(column.name))
    const [found] =
      await this.tx.rows(sql`select ${this.tx.dialect.image(written.map(({ column }) => column.name))}
      from ${tableName(table)} where ${this.matches(
        table,
        key.map(({ column, cell }): [string, Cell] => [column.name, cell]),
      )}`)
    if (!found) return false
    // Somebody else may have the id by now; whoever only changed since is still the same.
    return table !== this.site.shape.users || this.isSameUser(written, this.tx.dialect.readImage(found))
  }

  private isSameUser(written: readonly { column: Column; cell: Cell }[], found: readonly Cell[]): boolean {
    const joined = this.site.shape.userColumns.get('date_joined')
    const i = written.findIndex(({ column }) => column.name === joined)
    return i === -1 || JSON.stringify(written[i]?.cell) === JSON.stringify(found[i])
  }

  private async missingParent({ line }: OwnedLine): Promise<string | undefined> {
    if (!('d' in line)) return undefined
    const table = this.tables[line.d]
    const cells = this.cells(line)
    for (const key of this.site.shape.catalog.foreignKeys) {
      if (key.table !== table) continue
      const values = key.columns.map((name) => cells.get(name) ?? null)
      if (values.includes(null)) continue
      const parent = key.referencedColumns.map((name, i): [string, Cell] => [name, values[i] ?? null])
      const found = await this.tx.rows(
        sql`select 1 from ${tableName(key.references)} where ${this.matches(key.references, parent)}`,
      )
      if (found.length === 0) return key.references.label
    }
    return undefined
  }

  private cells(line: DeletedLine): Map<string, Cell> {
    const columns = this.header.tables[line.d]?.columns ?? []
    return new Map(columns.map((name, i) => [name, line.row[i] ?? null]))
  }

  private matches(table: Table, cells: readonly [string, Cell][]): SQL {
    return sql.join(
      cells.map(([name, cell]) =>
        cell === null
          ? sql`${sql.identifier(name)} is null`
          : sql`${sql.identifier(name)} = ${this.value(table, name, cell)}`,
      ),
      sql` and `,
    )
  }

  private value(table: Table, name: string, cell: Cell): SQL {
    return this.tx.dialect.cellValue(cell, columnOf(table, name)?.type ?? 'text')
  }

  private fail({ line, owner }: OwnedLine, reason: string): void {
    const { dialect } = this.tx
    const table = this.header.tables['d' in line ? line.d : line.n]?.name ?? ''
    const user = owner === undefined ? undefined : dialect.shownKey(owner, this.site.shape.userKey.type)
    this.tally.failed.push({ user, table, reason })
  }
}

function add(counts: Map<string, number>, name: string, number: number): void {
  counts.set(name, (counts.get(name) ?? 0) + number)
}
