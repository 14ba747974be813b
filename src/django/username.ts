import { lengthProblem } from './length-problem.ts'

export const MAX_USERNAME_LENGTH = 150

/** Returns the form that Django's create_user() stores: NFKC, so that `ﬁ` becomes `fi`. */
export function normalizeUsername(username: string): string {
  return username.normalize('NFKC')
}

/**
 * Returns why Django would refuse the username, in its own words, or undefined. The rule is that of
 * UnicodeUsernameValidator, `^[\w.@+-]+\Z`; Python's `\w` is letters, numbers and the underscore, but not the
 * combining marks that ECMAScript's Alphabetic would add. The length counts code points.
 */
export function usernameProblem(username: string, maxLength = MAX_USERNAME_LENGTH): string | undefined {
  if (username === '') return 'The given username must be set.'
  if (!/^[\p{L}\p{N}_.@+-]+$/u.test(username))
    return 'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.'
  return lengthProblem(username, maxLength)
}
