const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i

/** Returns the UUID with dashes in lower case, or undefined when the text is none. */
export function dashedUuid(text: string): string | undefined {
  return UUID.exec(text)?.slice(1).join('-').toLowerCase()
}

/** Returns the UUID as Django stores it in SQLite's char(32): lower-case hex, no dashes. Undefined when it is none. */
export function hexUuid(text: string): string | undefined {
  return UUID.exec(text)?.slice(1).join('').toLowerCase()
}
