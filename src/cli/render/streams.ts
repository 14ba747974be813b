import { stringify } from 'csv-stringify/sync'
import type { ListedUser, ListField } from '../../users/list.ts'
import { cellText } from './cells.ts'
import { plainJson } from './plain-text.ts'

/** Formats that need one user at a time. Each yields pieces of the text, so that memory does not grow. */
export type StreamFormat = (
  users: AsyncIterable<ListedUser>,
  fields: readonly ListField[],
) => AsyncIterable<string>

/** One array, a user in each line. */
export async function* json(users: AsyncIterable<ListedUser>, fields: readonly ListField[]) {
  let before = '[\n'
  for await (const user of users) {
    yield `${before}  ${record(user, fields)}`
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

/** An object in each line. */
export async function* ndjson(users: AsyncIterable<ListedUser>, fields: readonly ListField[]) {
  for await (const user of users) yield `${record(user, fields)}\n`
}

/** With a header. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export async function* csv(users: AsyncIterable<ListedUser>, fields: readonly ListField[]) {
  yield csvLine(fields)
  for await (const user of users) yield csvLine(fields.map((field) => cellText(user, field)))
}

/** An id in each line, for `--users-from -`. */
export async function* ids(users: AsyncIterable<ListedUser>) {
  for await (const user of users) yield `${cellText(user, 'id')}\n`
}

function record(user: ListedUser, fields: readonly ListField[]): string {
  return plainJson(Object.fromEntries(fields.map((field) => [field, user[field] ?? null])))
}

function csvLine(cells: readonly string[]): string {
  return stringify([cells], { escape_formulas: true })
}
