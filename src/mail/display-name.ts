const LONGEST = 40

/** Letters of any script, digits, and what names are joined with. */
const NAME = /^[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N} .'’_+-]*$/u

/**
 * Returns the first of the names that is fit to be printed in a mail, or null. Whoever signs up somebody else chooses a
 * name: it must not carry an advertisement, or a domain that mail programs turn into a link.
 */
export function displayName(names: readonly (string | null | undefined)[]): string | null {
  return names.map((name) => name?.trim() ?? '').find(isPlainName) ?? null
}

function isPlainName(name: string): boolean {
  if (!NAME.test(name) || [...name].length > LONGEST) return false
  return !/[\p{L}\p{N}]\.[\p{L}\p{N}-]{2,}|www|http/iu.test(name) && name.split(/\s+/).length <= 4
}
