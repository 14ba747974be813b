import { invalid, UserError } from '../errors.ts'

/** Readers of what people write, in options and in the configuration file. Each throws a UserError (invalid) that names the value and what it should be. */

/** Returns what `read` returns; an error of its begins with the name: of an option, or of whom it is about. */
export function withName<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const { kind, hint, cause } = error
    throw new UserError(`${name}: ${error.message}`, { kind, hint, cause })
  }
}

/** Returns the whole number, above 0. */
export function countFrom(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count > 0) {
    if (Number.isSafeInteger(count)) return count
    throw invalid(`${text} is too large a number`)
  }
  throw invalid(`"${text}" is not a whole number above 0`)
}

/** Returns the days that a link is good for, at most a hundred years: no date lies further ahead. */
export function daysFrom(text: string): number {
  const days = countFrom(text)
  if (days <= 36_525) return days
  throw invalid(`${text} days are too long a time`)
}

/** Mails in a second; pauses between more of them would be shorter than a timer's. */
const FASTEST = 10_000

/** Returns mails in a second, also less than one; 0 for no limit. */
export function rateFrom(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) {
    if (Number(text) <= FASTEST) return Number(text)
    throw invalid(`${text} mails in a second are more than ${FASTEST}`, '0 is for no limit')
  }
  throw invalid(`"${text}" is not a number of mails in a second`, 'for example 5, 0.5, or 0 for no limit')
}

/** Returns the text without spaces around it; there must be some. */
export function textFrom(text: string): string {
  if (text.trim() !== '') return text.trim()
  throw invalid('the value is empty')
}

/** Returns the column of a rule; what is table and what column of a name with spaces or dots, only the database can tell. */
export function columnFrom(text: string): string {
  if (/\S.*\..*\S/.test(text)) return text
  throw invalid(`"${text}" does not name a column`, 'write TABLE.COLUMN, for example blog_post.editor_id')
}
