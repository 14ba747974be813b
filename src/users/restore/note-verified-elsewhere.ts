import { sql } from 'drizzle-orm'
import { groupBy } from '../../db/group-by.ts'
import { isTrue } from '../../db/is-true.ts'
import { shownUserKey } from '../../site/site.ts'
import { ADDRESS_USER } from '../../site/site-names.ts'
import { keyText } from '../archive/ownership.ts'
import type { PuttingBack } from './putting-back.ts'

/**
 * Notes of each user who has come back that somebody else has verified the address meanwhile: as it is written here, or
 * in lower case, as allauth stores it (since 0.63). Then the index serves.
 */
export async function noteVerifiedElsewhere(work: PuttingBack): Promise<void> {
  const { site, rows, tally, verifiers } = work
  const lines = tally.rows.filter((line) => rows.tableOf(line) === site.shape.emailAddresses)
  if (lines.length === 0) return
  const back = rows
    .valuesOf(lines, ['email', ADDRESS_USER, 'verified'])
    .map(([email = '', key = null, verified = null]) => ({
      email: String(email),
      key: keyText(key),
      isVerified: isTrue(verified),
    }))
  // Two of the archive's own had it before.
  for (const { key, isVerified } of back) if (isVerified) verifiers.add(key)
  const emails = back.flatMap(({ email }) => [email, email.toLowerCase()])
  const { emailAddresses: address } = site.tables
  const found = await site.db.rows<{ email: string; user: string }>(sql`
    select ${address.email} as email, cast(${address.user} as text) as "user" from ${address}
    where ${address.verified} and ${site.db.dialect.among(sql`${address.email}`, [...new Set(emails)])}`)
  const verified = groupBy(found, ({ email }) => email.toLowerCase())
  const keys = back.flatMap(({ email, key }) => {
    const holders = verified.get(email.toLowerCase()) ?? []
    return holders.some(({ user }) => user !== key && !verifiers.has(user)) ? [key] : []
  })
  for (const key of new Set(keys)) {
    const user = shownUserKey(site, key)
    tally.note({ user, note: 'an address of theirs is verified for somebody else by now' })
  }
}
