/** Returns how many columns of a terminal a text takes. */
export type TextWidth = (text: string) => number

const PLAIN = /^[\x20-\x7e]*$/

/**
 * Returns what measures these cells. What knows all of Unicode takes longer to load than many a list takes to print, so
 * it is loaded only when a cell needs it.
 */
export async function widthOf(rows: readonly (readonly string[])[]): Promise<TextWidth> {
  if (rows.every((row) => row.every((cell) => PLAIN.test(cell)))) return (text) => text.length
  const { default: stringWidth } = await import('string-width')
  return stringWidth
}
