import type { Site } from '../site/site.ts'
import { type ListedUser, type ListField, type ListRequest, listUsers, tally } from '../users/list.ts'
import type { Context, GlobalOptions } from './context.ts'
import type { Output } from './output.ts'
import { styleFor } from './paint.ts'
import { withProgress } from './progress.ts'
import type { Style } from './render/style.ts'
import { alignedRows, columnWidths, cutRows, fitted, tableHead, tableRows } from './render/table.ts'
import { countListed, tallyText } from './render/tally.ts'

const ROWS_ON_TERMINAL = 50
/** Piped, every page is laid out by itself, no narrower than the one before it: memory does not grow. */
const ROWS_IN_PAGE = 1_000

/** Prints the users as a table with the split by guard under it. Returns how many it shows. */
export async function printTable(
  site: Site,
  request: ListRequest,
  context: Context,
  globals: GlobalOptions,
): Promise<number> {
  const { stdout } = context
  const split = await withProgress(context, globals, 'counting', () => tally(site, request.criteria))
  const shown = await printRows(
    listUsers(site, request),
    request.fields,
    stdout,
    styleFor(stdout, context, globals),
  )
  const first =
    shown < countListed(split, request) ? ` (the first ${shown} are shown; --format csv prints all)` : ''
  await stdout.write(`${shown === 0 ? '' : '\n'}${tallyText(split)}${first}\n`)
  return shown
}

async function printRows(
  users: AsyncIterable<ListedUser>,
  fields: readonly ListField[],
  stdout: Output,
  style: Style,
): Promise<number> {
  const layOut = stdout.isTerminal ? cutRows : alignedRows
  let shown = 0
  let widths = columnWidths([fields], [])
  for await (const page of pages(users, stdout.isTerminal ? ROWS_ON_TERMINAL : ROWS_IN_PAGE)) {
    const rows = tableRows(page, fields)
    widths = columnWidths(rows, widths)
    if (stdout.isTerminal) widths = fitted(widths, fields, stdout.columns)
    if (shown === 0) await stdout.write(tableHead(fields, widths, style))
    await stdout.write(layOut(rows, widths))
    shown += page.length
    if (stdout.isTerminal) break
  }
  return shown
}

async function* pages(users: AsyncIterable<ListedUser>, size: number): AsyncGenerator<ListedUser[]> {
  let page: ListedUser[] = []
  for await (const user of users) {
    page.push(user)
    if (page.length < size) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
