import { invalid } from '../errors.ts'
import { didYouMean } from '../suggest.ts'
import { INCLUDABLE, type IncludableGuard } from '../users/criteria.ts'

/** As the readers of `values`, of what only the command line takes. */

/** Returns the domain of mail addresses, with or without `@`. */
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

/** Returns the guard that may be switched off. */
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
