import { stringify } from 'csv-stringify/sync'
import type { ListedUser, ListField } from '../../users/list.ts'
import { cellText } from './cells.ts'
import { plainJson } from './plain-text.ts'

/** Formats that need a page of users at a time. Each yields pieces of the text, so that memory does not grow. */
export type StreamFormat = (
  pages: AsyncIterable<readonly ListedUser[]>,
  fields: readonly ListField[],
) => AsyncIterable<string>

/** One array, a user in each line. */
export async function* json(pages: AsyncIterable<readonly ListedUser[]>, fields: readonly ListField[]) {
  let before = '[\n'
  for await (const page of pages) {
    yield `${before}${page.map((user) => `  ${record(user, fields)}`).join(',\n')}`
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

/** An object in each line. */
export async function* ndjson(pages: AsyncIterable<readonly ListedUser[]>, fields: readonly ListField[]) {
  for await (const page of pages) yield page.map((user) => `${record(user, fields)}\n`).join('')
}

/** With a header. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export async function* csv(pages: AsyncIterable<readonly ListedUser[]>, fields: readonly ListField[]) {
  yield csvLines([fields])
  for await (const page of pages) {
    yield csvLines(page.map((user) => fields.map((field) => cellText(user, field))))
  }
}

/** An id in each line, for `--users-from -`. */
export async function* ids(pages: AsyncIterable<readonly ListedUser[]>) {
  for await (const page of pages) yield page.map((user) => `${cellText(user, 'id')}\n`).join('')
}

function record(user: ListedUser, fields: readonly ListField[]): string {
  const printed: Record<string, unknown> = {}
  for (const field of fields) printed[field] = user[field] ?? null
  return plainJson(printed)
}

function csvLines(rows: readonly (readonly string[])[]): string {
  return stringify([...rows], { escape_formulas: true })
}
