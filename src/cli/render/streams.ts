import { usersIn } from '../../users/list.ts'
import type { ListField } from '../../users/list-fields.ts'
import type { ListPage } from '../../users/list-pages.ts'
import { cellText } from './cells.ts'
import { plainLines } from './plain-text.ts'

/** Formats that need a page of users at a time. Each yields pieces of the text, so that memory does not grow. */
export type StreamFormat = (
  pages: AsyncIterable<ListPage>,
  fields: readonly ListField[],
) => AsyncIterable<string>

/** One array, a user in each line. */
export async function* json(pages: AsyncIterable<ListPage>) {
  let before = '[\n  '
  for await (const { lines } of pages) {
    yield `${before}${plainLines(lines).replaceAll('\n', ',\n  ')}`
    before = ',\n  '
  }
  yield before.startsWith('[') ? '[]\n' : '\n]\n'
}

/** An object in each line. */
export async function* ndjson(pages: AsyncIterable<ListPage>) {
  for await (const { lines } of pages) yield `${plainLines(lines)}\n`
}

/** With a header. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export async function* csv(pages: AsyncIterable<ListPage>, fields: readonly ListField[]) {
  const { stringify } = await import('csv-stringify/sync')
  const csvLines = (rows: string[][]) => stringify(rows, { escape_formulas: true })
  yield csvLines([[...fields]])
  for await (const page of pages) {
    yield csvLines(usersIn(page).map((user) => fields.map((field) => cellText(user, field))))
  }
}

/** An id in each line, for `--users-from -`. */
export async function* ids(pages: AsyncIterable<ListPage>) {
  for await (const page of pages)
    yield usersIn(page)
      .map((user) => `${cellText(user, 'id')}\n`)
      .join('')
}
