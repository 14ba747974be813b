import type { Table } from '../../db/catalog.ts'
import { inSavepoint } from '../../db/savepoint.ts'
import type { ArchivedRows } from '../archive/archived-rows.ts'
import { type ArchiveLine, type DeletedLine, isDeleted } from '../archive/lines.ts'
import { insertAbsent } from './insert-absent.ts'
import { LineRestoration } from './put-back-line.ts'
import type { PuttingBack } from './putting-back.ts'

/** Rows of one table in one statement; fewer when they are large, for databases limit the size of a value. */
const ROWS = 1_000
const CHARACTERS = 4_000_000

/**
 * Puts back the lines in their order, many rows of a table at a time. Where not all of them go in, each of them says
 * why. Throws the database's error when it refuses a row.
 */
export async function putBackRows(work: PuttingBack, lines: readonly ArchiveLine[]): Promise<void> {
  const single = new LineRestoration(work)
  await single.begin(lines)
  for (const chunk of chunksOf(work, lines, (line) => single.goesIn(line))) {
    if (chunk.table && (await insertAll(work, chunk.table, chunk.lines))) continue
    for (const line of chunk.lines) await single.putBack(line)
  }
}

/** Lines that follow each other; with a table, rows that can be inserted into it as one. */
type Chunk =
  | { readonly table: Table; readonly lines: readonly DeletedLine[] }
  | { readonly table: undefined; readonly lines: readonly ArchiveLine[] }

/** Asks of each line, when those before it are in, whether it goes in. */
function* chunksOf(
  { rows, taken }: PuttingBack,
  lines: readonly ArchiveLine[],
  goesIn: (line: ArchiveLine) => boolean,
): Generator<Chunk> {
  let table: Table | undefined
  let together: DeletedLine[] = []
  let characters = 0
  for (const line of lines) {
    const isWhole = isDeleted(line) && isAsArchived(rows, line) && taken.lostBy(line).length === 0
    const own = isWhole ? keyedTableOf(rows, line) : undefined
    if (table && (own !== table || together.length === ROWS || characters > CHARACTERS)) {
      yield { table, lines: together }
      together = []
      characters = 0
    }
    table = own
    if (!goesIn(line)) continue
    if (isDeleted(line) && own) {
      together.push(line)
      characters += sizeOf(line)
    } else {
      yield { table: undefined, lines: [line] }
    }
  }
  if (table) yield { table, lines: together }
}

function isAsArchived(rows: ArchivedRows, line: DeletedLine): boolean {
  return rows.goneColumns(line).length === 0 && !rows.isRetyped(line)
}

/** Without a primary key, each row has to be looked for. */
function keyedTableOf(rows: ArchivedRows, line: ArchiveLine): Table | undefined {
  const table = rows.tableOf(line)
  return table && table.primaryKey.length > 0 ? table : undefined
}

function sizeOf({ row }: DeletedLine): number {
  return row.reduce<number>((sum, cell) => sum + (typeof cell === 'string' ? cell.length : 8), 0)
}

/** Returns false, and leaves no trace, when one of the rows is there already or cannot be. */
async function insertAll(
  { site, rows, tally }: PuttingBack,
  table: Table,
  lines: readonly DeletedLine[],
): Promise<boolean> {
  const [first] = lines
  if (!first) return true
  const written = rows.writtenColumns(first)
  const images = JSON.stringify(lines.map((line) => line.row))
  const places = written.map(({ column, at }) => ({ at, type: column.type }))
  const columns = written.map(({ column }) => column)
  const source = site.db.dialect.fromImages(images, places)
  const isComplete = await inSavepoint(
    site.db,
    async () => (await insertAbsent(site.db, { table, columns, source })) === lines.length,
    (complete) => complete,
  )
  if (isComplete) tally.putBack(table.label, lines)
  return isComplete
}
