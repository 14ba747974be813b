import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import type { Cell } from '../db/dialect.ts'
import { columnList, rowValue, tableName } from '../db/identifiers.ts'
import type { Db } from '../db/port.ts'
import { deletingEdges, type Edge, edgeLabel, edgesOnto } from '../site/dependents.ts'
import type { Site } from '../site/site.ts'
import type { ArchiveLine } from './archive.ts'
import { type Candidates, losesReference } from './candidates.ts'

/** Rows that a batch deleted or changed, by table and by column. */
export interface Effects {
  readonly tables: Map<string, number>
  readonly nulled: Map<string, number>
  /** What was there before, in the order in which it went; empty unless asked for. */
  readonly lines: ArchiveLine[]
}

/**
 * Deletes the users with everything that hangs on them, bottom-up, within the transaction. Throws the database's
 * error when something forbids it; then nothing of the batch may be committed. With `archived`, the tables by the
 * number that lines name them by, it returns every row as it was.
 */
export async function deleteUsers(
  tx: Db,
  site: Site,
  candidates: Candidates,
  keys: readonly string[],
  archived: readonly Table[] | undefined,
): Promise<Effects> {
  const deletion = new Deletion(tx, site, candidates, keys, archived)
  for (const group of candidates.dependents.order) await deletion.deleteGroup(group)
  await tx.dialect.checkForeignKeys(tx)
  return deletion.effects
}

class Deletion {
  readonly effects: Effects = { tables: new Map(), nulled: new Map(), lines: [] }
  private readonly tx: Db
  private readonly candidates: Candidates
  private readonly seed: SQL
  private readonly archived: readonly Table[] | undefined

  constructor(
    tx: Db,
    site: Site,
    candidates: Candidates,
    keys: readonly string[],
    archived: readonly Table[] | undefined,
  ) {
    const { users } = site.tables
    const { doomed } = candidates
    this.tx = tx
    this.candidates = candidates
    this.archived = archived
    this.seed = sql`${doomed.nameOf(site.shape.users)} as (
      select ${columnList(doomed.columnsOf(site.shape.users))} from ${users}
      where ${tx.dialect.keyAmong(sql`${users.key}`, site.shape.userKey.type, keys)})`
  }

  /** Deletes the doomed rows of tables that nothing refers to any more, except each other. */
  async deleteGroup(group: readonly Table[]): Promise<void> {
    for (const table of group) await this.clearReferences(table)
    const [table] = group
    if (!table) return
    if (group.length > 1) return this.deleteTogether(group)
    if (this.isRing(table) || table === this.candidates.dependents.users) {
      return this.gone(table, await this.change([table], this.deletionOf(table, this.identity(table))))
    }
    for (const edge of deletingEdges(this.candidates.dependents, table)) {
      const which = sql`${rowValue(edge.columns)} in (
        select ${columnList(edge.referencedColumns)} from ${this.candidates.doomed.nameOf(edge.references)})`
      this.gone(table, await this.change([edge.references], this.deletionOf(table, which)))
    }
  }

  private async clearReferences(table: Table): Promise<void> {
    const { dependents, doomed } = this.candidates
    for (const edge of edgesOnto(dependents, table, 'set-null')) {
      const cleared = edge.columns.map((column) => sql`${sql.identifier(column)} = null`)
      const which = losesReference(doomed, edge)
      await this.archiveReferences(edge, which)
      const rows = await this.change(
        [edge.references, edge.table],
        sql`update ${tableName(edge.table)} set ${sql.join(cleared, sql`, `)} where ${which} returning 1`,
      )
      add(this.effects.nulled, edgeLabel(edge), rows.length)
    }
  }

  /** Tables that refer to each other: no order of single statements is right for all of them. */
  private async deleteTogether(group: readonly Table[]): Promise<void> {
    const { dialect } = this.tx
    const deletions = group.map((table) => ({
      table,
      identity: this.candidates.doomed.identityOf(table),
      rows: sql`select ${columnList(this.candidates.doomed.identityOf(table))} from ${this.candidates.doomed.nameOf(table)}`,
      returning: this.returning(table),
    }))
    const gone = await dialect.deleteTogether(this.tx, this.definitions(group), deletions)
    for (const [i, table] of group.entries()) this.gone(table, gone[i] ?? [])
  }

  private isRing(table: Table): boolean {
    return this.candidates.dependents.spread.some((group) => group.ring && group.tables.includes(table))
  }

  private identity(table: Table): SQL {
    const columns = this.candidates.doomed.identityOf(table)
    return sql`${rowValue(columns)} in (select ${columnList(columns)} from ${this.candidates.doomed.nameOf(table)})`
  }

  private change(tables: readonly Table[], statement: SQL): Promise<object[]> {
    return this.tx.rows(sql`with recursive ${sql.join(this.definitions(tables), sql`, `)} ${statement}`)
  }

  private definitions(tables: readonly Table[]): SQL[] {
    const { doomed, dependents } = this.candidates
    const losing = dependents.order.flat()
    return [this.seed, ...doomed.definitions(tables.filter((table) => losing.includes(table)))]
  }

  private deletionOf(table: Table, which: SQL): SQL {
    return sql`delete from ${tableName(table)} where ${which} returning ${this.returning(table)}`
  }

  private returning(table: Table): SQL {
    return this.archived ? this.tx.dialect.image(namesOf(table)) : sql`1`
  }

  private gone(table: Table, rows: readonly object[]): void {
    add(this.effects.tables, table.label, rows.length)
    if (!this.archived) return
    const d = this.archived.indexOf(table)
    for (const row of rows) this.effects.lines.push({ d, row: this.tx.dialect.readImage(row) })
  }

  /** Before they are set to NULL. The rows are locked: what is archived is what was there. */
  private async archiveReferences(edge: Edge, which: SQL): Promise<void> {
    if (!this.archived) return
    const { dialect } = this.tx
    const columns = [...this.candidates.doomed.identityOf(edge.table), ...edge.columns]
    const cut = columns.length - edge.columns.length
    const rows = await this.change(
      [edge.references, edge.table],
      sql`select ${dialect.image(columns)} from ${tableName(edge.table)} where ${which} ${dialect.forUpdate}`,
    )
    const n = this.archived.indexOf(edge.table)
    for (const row of rows) {
      const cells = dialect.readImage(row)
      const named = cells.map((cell, i): [string, Cell] => [columns[i] ?? '', cell])
      const [key, was] = [Object.fromEntries(named.slice(0, cut)), Object.fromEntries(named.slice(cut))]
      this.effects.lines.push({ n, key, was })
    }
  }
}

function namesOf(table: Table): string[] {
  return table.columns.map((column) => column.name)
}

function add(counts: Map<string, number>, name: string, number: number): void {
  if (number > 0) counts.set(name, (counts.get(name) ?? 0) + number)
}
