import type { Site } from '../site/site.ts'
import { listPages, RunningTally, tally, usersIn } from '../users/list.ts'
import type { ListedUser, ListField } from '../users/list-fields.ts'
import type { ListPage, ListRequest } from '../users/list-pages.ts'
import type { CommandContext } from './command-context.ts'
import type { Output } from './output.ts'
import { styleFor } from './paint.ts'
import { withProgress } from './progress.ts'
import type { Style } from './render/style.ts'
import { alignedRows, columnWidths, tableHead, tableRows } from './render/table.ts'
import { countListed, tallyText } from './render/tally.ts'
import { widthOf } from './render/text-width.ts'

const ROWS_ON_TERMINAL = 50
/** Piped, every page is laid out by itself, no narrower than the one before it: memory does not grow. */
const ROWS_IN_PAGE = 1_000

/** Prints the users as a table with the split by guard under it. Returns how many it shows. */
export async function printTable(site: Site, request: ListRequest, context: CommandContext): Promise<number> {
  const { stdout } = context
  const running = new RunningTally()
  const shown = await printRows(
    listPages(site, request, running.look),
    request.fields,
    stdout,
    await styleFor(stdout, context),
  )
  const split =
    running.whole ?? (await withProgress(context, 'counting', () => tally(site, request.criteria)))
  const first =
    shown < countListed(split, request) ? ` (the first ${shown} are shown; --format csv prints all)` : ''
  await stdout.write(`${shown === 0 ? '' : '\n'}${tallyText(split)}${first}\n`)
  return shown
}

async function printRows(
  read: AsyncIterable<ListPage>,
  fields: readonly ListField[],
  stdout: Output,
  style: Style,
): Promise<number> {
  let shown = 0
  let widths = columnWidths([fields], [], await widthOf([fields]))
  for await (const page of pages(read, stdout.isTerminal ? ROWS_ON_TERMINAL : ROWS_IN_PAGE)) {
    const rows = tableRows(page, fields)
    if (stdout.isTerminal) {
      const { screenTable } = await import('./render/screen-table.ts')
      await stdout.write(screenTable(rows, fields, stdout.columns, style))
      return page.length
    }
    const textWidth = await widthOf(rows)
    widths = columnWidths(rows, widths, textWidth)
    if (shown === 0) await stdout.write(tableHead(fields, widths, style))
    await stdout.write(alignedRows(rows, widths, textWidth))
    shown += page.length
  }
  return shown
}

async function* pages(read: AsyncIterable<ListPage>, size: number): AsyncGenerator<ListedUser[]> {
  let page: ListedUser[] = []
  for await (const users of read) {
    for (const user of usersIn(users)) {
      page.push(user)
      if (page.length < size) continue
      yield page
      page = []
    }
  }
  if (page.length > 0) yield page
}
