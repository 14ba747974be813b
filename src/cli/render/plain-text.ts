/**
 * C0 and C1 controls (ANSI sequences begin with one), DEL, line separators, and the marks that change the direction
 * of writing: with these a name could overwrite what the administrator reads.
 */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Returns the text with every control character spelled out (`\u001b`): one line, safe to show. */
export function plainText(text: string): string {
  return text.replace(CONTROLS, escaped)
}

/** Returns the value as JSON in one line, with the same characters escaped: the value they stand for is unchanged. */
export function plainJson(value: unknown): string {
  return plainText(JSON.stringify(value))
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
