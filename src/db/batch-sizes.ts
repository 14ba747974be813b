/**
 * Users whom one transaction deletes, unless somebody says how many. By the name of the database, so that help needs no
 * driver. On PostgreSQL whoever wants to write to one of them waits for the batch: with 1,000, a busy machine with two
 * cores held some for longer than a second.
 */
export const BATCH_SIZES = { sqlite: 10_000, postgres: 500 } as const
