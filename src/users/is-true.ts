/** A condition's value as the driver or JSON gives it: a boolean, or SQLite's 0 and 1. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === 1n
}
