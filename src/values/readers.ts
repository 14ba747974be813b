import { invalid, UserError } from '../errors.ts'
import { didYouMean } from '../suggest.ts'
import { INCLUDABLE, type IncludableGuard } from '../users/criteria.ts'

/** Readers of what people write, in options and in the configuration file. Each throws a UserError (invalid) that names the value and what it should be. */

/** Returns what `read` returns; an error of its begins with the name of the option. */
export function named<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const { kind, hint, cause } = error
    throw new UserError(`${name}: ${error.message}`, { kind, hint, cause })
  }
}

export function countFrom(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count > 0 && Number.isSafeInteger(count)) return count
  throw invalid(`"${text}" is not a whole number above 0`)
}

/** Mails in a second, also less than one; 0 for no limit. */
export function rateFrom(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= 10_000) return Number(text)
  throw invalid(`"${text}" is not a number of mails in a second`, 'for example 5, 0.5, or 0 for no limit')
}

export function textFrom(text: string): string {
  if (text.trim() !== '') return text.trim()
  throw invalid('the value is empty')
}

/** A domain of mail addresses, with or without `@`. */
export function emailDomainFrom(text: string): string {
  const domain = text.trim().replace(/^@/, '').toLowerCase()
  if (domain !== '' && !/[@\s]/.test(domain)) return domain
  throw invalid(`"${text}" is not a domain`, 'for example: --email-domain example.com')
}

const NOT_INCLUDABLE: Record<string, string> = {
  recent: 'to switch it off: --grace 0',
  content: 'to delete or detach the rows that keep a user: --cascade TABLE or --set-null TABLE.COLUMN',
  protected: 'it cannot be switched off; take the user off the protect list',
}

export function guardFrom(text: string): IncludableGuard {
  const found = INCLUDABLE.find((guard) => guard === text)
  if (found) return found
  const why = NOT_INCLUDABLE[text]
  if (why) throw invalid(`the guard ${text} has no --include`, why)
  throw invalid(
    `there is no guard "${text}"${didYouMean(text, INCLUDABLE)}`,
    `one of: ${INCLUDABLE.join(', ')}`,
  )
}

/** The column of a rule; that the table and the column exist, only the database can tell. */
export function columnFrom(text: string): string {
  if (/^[^.\s]+(\.[^.\s]+)+$/.test(text)) return text
  throw invalid(`"${text}" does not name a column`, 'write TABLE.COLUMN, for example blog_post.editor_id')
}
