/** Returns the number with its thousands parted: `1,234`. */
export function shownNumber(count: number): string {
  // Intl.NumberFormat does the same, and takes as long to load as a small database to answer.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Returns the number with its noun: `1 user`, `1,234 users`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${shownNumber(count)} ${count === 1 ? noun : plural}`
}
