import { type SQL, sql } from 'drizzle-orm'
import { emailHash } from '../db/email-hash.ts'
import { isTrue } from '../db/is-true.ts'
import { instantFromText } from '../django/datetime.ts'
import { UserError } from '../errors.ts'
import { type Site, shownUserKey } from '../site/site.ts'
import { identifyUser } from '../users/identify.ts'
import { unverifiedPrimaryKey } from '../users/select.ts'
import { displayName } from './display-name.ts'
import type { ReminderVariables } from './reminder-templates.ts'
import { isVerifiedElsewhere } from './taken-address.ts'

/** A user with the address that a reminder goes to: the unverified primary one. */
export interface Recipient {
  /** In the database's own text form; of the row of the address as well. */
  readonly key: string
  readonly addressKey: string
  readonly address: string
  /** As the ledger has it. */
  readonly emailSha256: string
  /** Verified elsewhere: here it never can be. */
  readonly taken: boolean
  readonly user: ReminderVariables['user']
}

const TEXTS = ['username', 'first_name', 'last_name', 'email'] as const
const INSTANTS = ['date_joined', 'last_login'] as const

type Row = Record<string, unknown>

/** Returns those of the users who have an unverified primary address, by key; `takenWhere` is the condition that it is taken. */
export async function recipientsAmong(
  site: Site,
  keys: readonly string[],
  takenWhere: (site: Site, email: SQL) => SQL,
): Promise<Recipient[]> {
  if (keys.length === 0) return []
  const { users, emailAddresses: address } = site.tables
  const { dialect } = site.db
  const email = sql`${address.email}`
  const columns = [...TEXTS, ...INSTANTS].flatMap((name) => {
    const column = users[name]
    return column ? [sql`, ${column} as ${sql.identifier(`user_${name}`)}`] : []
  })
  const rows = await site.db.rows<Row>(sql`
    select cast(${users.key} as text) as user_key, cast(${address.id} as text) as address_key, ${email} as address,
      ${emailHash(dialect, email)} as sha256, ${takenWhere(site, email)} as taken${sql.join(columns)}
    from ${users} join ${address} on ${address.id} = ${unverifiedPrimaryKey(site)}
    where ${dialect.keyAmong(sql`${users.key}`, site.shape.userKey.type, keys)} order by ${users.key}`)
  return rows.map((row) => recipientFrom(row, site))
}

/**
 * Returns the user meant by an id, a username or an address. Throws a UserError when there is none, or the user has no
 * address that a link could verify.
 */
export async function findRecipient(site: Site, identifier: string): Promise<Recipient> {
  const key = await identifyUser(site, identifier)
  const [recipient] = await recipientsAmong(site, [key], isVerifiedElsewhere)
  if (!recipient)
    throw new UserError('the user has no unverified primary address', {
      hint: 'a link verifies no other: see the user in the admin of the site',
    })
  if (!recipient.taken) return recipient
  throw new UserError('another user has verified the address: here it can never be verified', {
    hint: 'whoever owns it can log in to the other account',
  })
}

function recipientFrom(row: Row, site: Site): Recipient {
  const text = (name: string) => textOf(row[`user_${name}`])
  const instant = (name: string) => {
    const value = text(name)
    return value === null ? null : instantFromText(value)
  }
  return {
    key: String(row.user_key),
    addressKey: String(row.address_key),
    address: String(row.address),
    emailSha256: String(row.sha256),
    taken: isTrue(row.taken),
    user: {
      id: shownUserKey(site, String(row.user_key)),
      username: text('username'),
      first_name: text('first_name'),
      last_name: text('last_name'),
      email: text('email'),
      date_joined: instant('date_joined'),
      last_login: instant('last_login'),
      display_name: displayName([text('first_name'), text('username')]),
    },
  }
}

/** Django has no NULL for a text that nobody gave; a template wants to ask simply whether there is one. */
function textOf(value: unknown): string | null {
  return value === null || value === undefined || value === '' ? null : String(value)
}
