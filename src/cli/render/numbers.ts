const THOUSANDS = new Intl.NumberFormat('en-US')

/** Returns the number with its thousands parted: `1,234`. */
export function shownNumber(count: number): string {
  return THOUSANDS.format(count)
}

/** Returns the number with its noun: `1 user`, `1,234 users`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${shownNumber(count)} ${count === 1 ? noun : plural}`
}
