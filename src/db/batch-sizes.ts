/**
 * Users whom one transaction deletes at most, unless somebody says how many. By the name of the database, so that help
 * needs no driver.
 */
export const BATCH_SIZES = { sqlite: 10_000, postgres: 1_000 } as const
