import type { Cell } from '../../db/dialect.ts'
import { groupBy } from '../../db/group-by.ts'
import type { Site } from '../../site/site.ts'
import { type ArchivedReference, identitiesOf, referencesAmong } from '../archive/archived-references.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import type { ArchiveHeader } from '../archive/header.ts'
import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import { keyText } from '../archive/ownership.ts'
import { RowSet } from './row-set.ts'

/** What keeps a row from coming back. */
export interface Obstacle {
  /** `own`: another row has its key by now. `taken`: so it is with what it refers to. `absent`: that does not come back. */
  readonly kind: 'own' | 'taken' | 'absent'
  /** Of that row. */
  readonly table: string
  readonly columns: readonly string[]
}

/**
 * Archived rows whose key another row has by now, and all that refer to these, over any number of steps: put back, they
 * would belong to somebody else. Remembers the former from batch to batch.
 */
export class TakenRows {
  private readonly header: ArchiveHeader
  private readonly rows: ArchivedRows
  private readonly references: ReadonlyMap<string, readonly ArchivedReference[]>
  private readonly identities: ReadonlyMap<string, readonly (readonly string[])[]>
  private readonly taken: RowSet
  private readonly users = new Map<string, readonly string[]>()
  /** Of the batch at hand. */
  private readonly absent: RowSet
  private readonly known: RowSet

  constructor(site: Site, header: ArchiveHeader, rows: ArchivedRows) {
    this.header = header
    this.rows = rows
    const references = referencesAmong(site, header)
    this.references = groupBy(references, ({ table }) => table)
    this.identities = identitiesOf(site, header, references)
    this.taken = this.emptySet()
    this.absent = this.emptySet()
    this.known = this.emptySet()
  }

  /** Returns a set for rows of this archive. */
  emptySet(): RowSet {
    return new RowSet(this.rows, this.identities)
  }

  /** Returns the references of the table to rows of the archive. */
  referencesOf(table: string): readonly ArchivedReference[] {
    return this.references.get(table) ?? []
  }

  /** Returns the sets of columns that make out a row of the table. */
  identitiesOf(table: string): readonly (readonly string[])[] {
    return this.identities.get(table) ?? []
  }

  /** True for the line of a user. */
  isUser(line: DeletedLine): boolean {
    return this.rows.tableNameOf(line) === this.header.users
  }

  /** Returns by which columns somebody else is known as this archived user was; undefined when nobody is. */
  takenOf(user: string): readonly string[] | undefined {
    return this.users.get(user)
  }

  /** Notes that another row has the same values in these columns. */
  add(line: DeletedLine, columns: readonly string[]): void {
    this.taken.add(line)
    if (!this.isUser(line)) return
    const key = keyText(this.rows.cellsOf(line).get(this.header.user_key) ?? null)
    if (!this.users.get(key)?.includes(this.header.user_key)) this.users.set(key, columns)
  }

  /** Notes that the row does not come back with this batch. */
  leaveOut(line: DeletedLine): void {
    this.absent.add(line)
  }

  /**
   * Of a batch that begins: leaves out whatever refers to a row that is taken, and what refers to that. One that is
   * there, with the same key and the same owner's key, is the other owner's.
   */
  spread(lines: readonly ArchiveLine[], there: ReadonlySet<ArchiveLine>): void {
    this.absent.clear()
    this.known.clear()
    if (this.taken.size === 0) return
    const deleted = lines.filter(isDeleted)
    for (const line of deleted) this.known.add(line)
    for (let before = -1; before < this.taken.size + this.absent.size; ) {
      before = this.taken.size + this.absent.size
      for (const line of deleted) {
        if (this.obstacleTo(line)) (there.has(line) ? this.taken : this.absent).add(line)
      }
    }
  }

  /** Returns what keeps the row out, or what was cleared in it from being put back; undefined when nothing does. */
  obstacleTo(line: ArchiveLine): Obstacle | undefined {
    if (this.taken.size + this.absent.size === 0) return undefined
    const table = this.rows.tableNameOf(line)
    const own = this.taken.own(line)
    if (own) return { kind: 'own', table, columns: own }
    const cells = this.rows.cellsOf(line)
    for (const reference of this.referencesOf(table)) {
      const kind = isDeleted(line) && reference.optional ? undefined : this.kindOf(reference, cells)
      if (kind) return { kind, table: reference.references, columns: reference.referenced }
    }
    return undefined
  }

  /** Returns the references without which the row can come back, and has to. */
  lostBy(line: DeletedLine): ArchivedReference[] {
    if (this.taken.size + this.absent.size === 0) return []
    const cells = this.rows.cellsOf(line)
    return this.referencesOf(this.rows.tableNameOf(line)).filter(
      (reference) => reference.optional && this.kindOf(reference, cells) !== undefined,
    )
  }

  private kindOf(
    reference: ArchivedReference,
    cells: ReadonlyMap<string, Cell>,
  ): 'taken' | 'absent' | undefined {
    const taken = this.taken.refersTo(reference, cells)
    if (taken === 'exactly') return 'taken'
    const absent = this.absent.refersTo(reference, cells)
    if (absent === 'exactly') return 'absent'
    // Where case matters, there may be one for each spelling.
    if (this.known.refersTo(reference, cells) === 'exactly') return undefined
    return (taken && 'taken') ?? (absent && 'absent')
  }
}
