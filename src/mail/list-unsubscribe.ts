import { invalid } from '../errors.ts'

/** Returns the place for List-Unsubscribe. Throws a UserError (invalid) when it is not a URL of https: or mailto:. */
export function listUnsubscribeFrom(text: string): string {
  if (/^(https:\/\/|mailto:)[^\s<>\p{Cc}]+$/iu.test(text) && URL.canParse(text)) return new URL(text).href
  throw invalid(
    `${JSON.stringify(text)} is no place to unsubscribe`,
    'https://site.example/unsubscribe/ or mailto:unsubscribe@site.example',
  )
}
