import { invalid } from '../errors.ts'
import { didYouMean } from '../suggest.ts'
import { DEFAULT_FIELDS, LIST_FIELDS, type ListField, SORT_FIELDS } from '../users/list-fields.ts'
import type { ListRequest } from '../users/list-pages.ts'
import { withName } from '../values/readers.ts'

/** Returns the fields of `--fields a,b`. Throws a UserError (invalid) for one that does not exist. */
export function fieldsFrom(text: string | undefined): readonly ListField[] {
  if (text === undefined) return DEFAULT_FIELDS
  const names = text.split(',').map((name) => name.trim())
  return [...new Set(names.map((name) => withName('--fields', () => oneOf(LIST_FIELDS, name))))]
}

/** Returns the order of `--sort FIELD`, or `-FIELD` for the reverse. Throws a UserError (invalid) for another. */
export function sortFrom(text: string | undefined): ListRequest['sort'] {
  if (text === undefined) return undefined
  const field = withName('--sort', () => oneOf(SORT_FIELDS, text.replace(/^-/, '')))
  return { field, descending: text.startsWith('-') }
}

function oneOf<T extends string>(known: readonly T[], name: string): T {
  const found = known.find((each) => each === name)
  if (found !== undefined) return found
  throw invalid(`there is no field "${name}"${didYouMean(name, known)}`, `one of: ${known.join(', ')}`)
}
