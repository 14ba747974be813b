/** A condition's value as the driver, JSON or an archive gives it: a boolean, its text, or SQLite's 0 and 1. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === 1n || value === 'true'
}
