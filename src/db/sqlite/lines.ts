import { type SQL, sql } from 'drizzle-orm'
import type { ImageColumn, LinedDeletion, LinedRows } from '../dialect.ts'
import { tableName } from '../identifiers.ts'
import { joinedLines } from '../joined-lines.ts'
import type { Db } from '../port.ts'
import { withRecursive } from '../with-recursive.ts'
import { isExact } from './exact-lines.ts'
import { image, quickImage } from './images.ts'

/** So many users' rows come at a time: megabytes would lie about in memory. As bytes: a string would be made in vain. */
const USERS_IN_LINES = 1_000

/** As `Dialect.joined`. */
export function joined(text: SQL, separator: string): SQL {
  return sql`group_concat(${text}, ${separator})`
}

/**
 * As `Dialect.deleteInLines`. RETURNING would hand over a row at a time, which takes longer than to look twice: nobody
 * else can write meanwhile.
 */
export async function deleteInLines(tx: Db, { take, ...rows }: LinedDeletion): Promise<number> {
  const { keys, table, which } = rows
  const [{ encoding } = {}] = await tx.rows<{ encoding?: string }>(sql`select encoding from pragma_encoding`)
  const bytes = (text: SQL) => (encoding === 'UTF-8' ? sql`cast(${text} as blob)` : text)
  for (const slice of slicesOf(keys, USERS_IN_LINES)) {
    const quick = await linesOf(tx, lineSelect(rows, slice, quickImage, bytes))
    const lines = isExact(quick) ? quick : await linesOf(tx, lineSelect(rows, slice, image, bytes))
    if (lines) take(lines)
  }
  const { definitions, condition } = which(keys)
  return tx.changes(sql`${withRecursive(definitions)}delete from ${tableName(table)} where ${condition}`)
}

/** Returns selects of the lines in one cell, those of so many users in each; of what it yields, see `isExact`. */
export function lineTexts(rows: LinedRows, usersAtOnce: number): SQL[] {
  return slicesOf(rows.keys, usersAtOnce).map((keys) => lineSelect(rows, keys, quickImage, (text) => text))
}

function slicesOf(keys: readonly string[], size: number): (readonly string[])[] {
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, i) => keys.slice(i * size, (i + 1) * size))
}

function lineSelect(
  { table, which, line }: LinedRows,
  keys: readonly string[],
  asImage: (columns: readonly ImageColumn[]) => SQL,
  cell: (text: SQL) => SQL,
): SQL {
  const text = joinedLines({ joined }, line, asImage(line.columns))
  const { definitions, condition } = which(keys)
  return sql`${withRecursive(definitions)}select ${cell(text)} as lines from ${tableName(table)} where ${condition}`
}

async function linesOf(tx: Db, select: SQL): Promise<Uint8Array | string | null> {
  const [found] = await tx.rows<{ lines: Uint8Array | string | null }>(select)
  return found?.lines ?? null
}
