/**
 * What holds when neither an option nor the configuration file says otherwise: for the help, and for what runs. It
 * imports nothing, so that help loads nothing more.
 */

export const SINCE = '1y'
export const GRACE = '7d'
export const ARCHIVE_DIRECTORY = 'usermgmt-archive'
/** Batches at once, where the database can. A second one uses the time that the first waits for the disk; a third gains little. */
export const JOBS = 2
/** Users taken from a plan for one transaction, whose commit must not cost more than its work. `HoldTime` may divide them. */
export const BATCH_SIZE = 10_000
export const HISTORY_RUNS = 20

/** How long the site takes a link: allauth's EMAIL_CONFIRMATION_EXPIRE_DAYS. */
export const EXPIRE_DAYS = 3
/** Mails in a second. */
export const RATE = 5
/** Mails at once. */
export const CONCURRENCY = 5
export const AGAIN_AFTER = '7d'
export const MAX_REMINDERS = 3
