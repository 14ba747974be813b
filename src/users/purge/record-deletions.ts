import { sql } from 'drizzle-orm'
import { emailHash } from '../../db/email-hash.ts'
import type { Instant } from '../../django/datetime.ts'
import { ledgerTables } from '../../site/ledger.ts'
import type { Site } from '../../site/site.ts'
import { unverifiedPrimaryEmail } from '../select.ts'

/** Records that the run deletes the users, in its transaction, before they are gone: their addresses only as SHA-256. */
export async function recordDeletions(
  site: Site,
  runId: string,
  keys: readonly string[],
  at: Instant,
): Promise<void> {
  const { db } = site
  const { dialect } = db
  const { deletions } = ledgerTables(dialect.kit)
  const { users } = site.tables
  const hash = emailHash(dialect, unverifiedPrimaryEmail(site))
  await db.run(sql`insert into ${deletions} (run_id, user_key, email_sha256, deleted_at)
    select ${sql.param(runId)}, cast(${users.key} as text), ${hash}, ${sql.param(at, deletions.deletedAt)}
    from ${users} where ${dialect.keyAmong(sql`${users.key}`, site.shape.userKey.type, keys)}`)
}
