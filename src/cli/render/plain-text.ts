/**
 * C0 and C1 controls (ANSI sequences begin with one), DEL, line separators, and the marks that change the direction
 * of writing: with these a name could overwrite what the administrator reads. And what is not seen at all, with which
 * one name could look like another (the joiners of emoji and of Persian stay).
 */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\u3164\ufeff\uffa0]|\udb40[\udc00-\udc7f]/g

/** The same but for the end of a line. */
const CONTROLS_IN_LINES = new RegExp(CONTROLS.source.replace('\\u0000-', '\\u0000-\\u0009\\u000b-'))

/** Returns the text with every control character spelled out (`\u001b`): one line, safe to show. */
export function plainText(text: string): string {
  return text.replace(CONTROLS, escaped)
}

/** As `plainText`, line by line. */
export function plainLines(text: string): string {
  // Mostly there is nothing to do.
  return CONTROLS_IN_LINES.test(text) ? text.split('\n').map(plainText).join('\n') : text
}

/** Returns the value as JSON in one line, with the same characters escaped: the value they stand for is unchanged. */
export function plainJson(value: unknown): string {
  return plainText(JSON.stringify(value))
}

function escaped(characters: string): string {
  return characters.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
