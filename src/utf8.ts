/** Returns the text that the bytes are in UTF-8; undefined when they are none. `ignoreBOM` keeps a mark at its beginning. */
export function utf8In(
  bytes: Uint8Array,
  options: { readonly ignoreBOM?: boolean } = {},
): string | undefined {
  try {
    return new TextDecoder('utf-8', { ...options, fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
