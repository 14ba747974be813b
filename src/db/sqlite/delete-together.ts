import { type SQL, sql } from 'drizzle-orm'
import { columnOf, type Table } from '../catalog.ts'
import type { DeletionOf, ImagePlace } from '../dialect.ts'
import { KeptByTrigger } from '../errors.ts'
import { rowValue, tableName } from '../identifiers.ts'
import type { Db } from '../port.ts'
import { withRecursive } from '../with-recursive.ts'
import { fromImages, image } from './images.ts'
import { rowIdOf } from './row-id.ts'

/**
 * As `Dialect.deleteTogether`. One statement deletes from one table only, and neither returns nor counts what foreign
 * keys take along or change meanwhile: read all rows first, and let the keys be checked at COMMIT.
 */
export async function deleteTogether<T extends object>(
  tx: Db,
  definitions: readonly SQL[],
  deletions: readonly DeletionOf[],
): Promise<T[][]> {
  await tx.dialect.deferForeignKeys(tx)
  const found: (T & { identityImage: string })[][] = []
  for (const { table, identity, rows, returning } of deletions) {
    const columns = identity.map((name) => columnOf(table, name) ?? rowIdOf(table))
    found.push(
      await tx.rows<T & { identityImage: string }>(sql`${withRecursive(definitions)}
        select ${image(columns)} as "identityImage", ${returning} from ${tableName(table)}
        where ${rowValue(identity)} in (${rows})`),
    )
  }
  for (const [i, { table, identity }] of deletions.entries()) {
    const images = `[${found[i]?.map((row) => row.identityImage).join(',')}]`
    const places = identity.map((name, at) => ({ at, type: columnOf(table, name)?.type ?? 'integer' }))
    const deleted = await tx.changes(sql`delete from ${tableName(table)}
      where ${rowValue(identity)} in (${fromImages(images, places)})`)
    // Fewer may be those that a foreign key has taken along meanwhile; what is still there, a trigger has kept.
    if (deleted < (found[i]?.length ?? 0) && (await isAnyLeft(tx, table, identity, images, places))) {
      throw new KeptByTrigger()
    }
  }
  return found
}

async function isAnyLeft(
  tx: Db,
  table: Table,
  identity: readonly string[],
  images: string,
  places: readonly ImagePlace[],
): Promise<boolean> {
  const left = await tx.rows(sql`select 1 from ${tableName(table)}
    where ${rowValue(identity)} in (${fromImages(images, places)}) limit 1`)
  return left.length > 0
}
