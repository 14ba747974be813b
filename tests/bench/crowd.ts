import type { DatabaseKind } from '../support/databases.ts'

/** The cut-off of every purge and list: the bots signed up before it, and have never logged in. */
export const CUTOFF = '2020-01-01'

/** Every third user is a bot, to be deleted. */
export function botsAmong(users: number): number {
  return Math.floor(users / 3)
}

/** Returns how many rows go with the bots: users, addresses, and a confirmation for every second one. */
export function rowsOfBots(users: number): number {
  return 2 * botsAmong(users) + Math.floor((users + 3) / 6)
}

/** Returns the statements that fill an empty site. Bots and people take turns, as they do in the tables of a site. */
export function crowd(kind: DatabaseKind, users: number): string[] {
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${users})`
  const isBot = 'i % 3 = 0'
  const lastLogin = `'2024-05-01 12:30:00.654321'${kind === 'postgres' ? '::timestamptz' : ''}`
  return [
    `INSERT INTO auth_user (id, username, email, password, first_name, last_name, is_active, is_staff, is_superuser,
        date_joined, last_login)
      ${numbers} SELECT i, 'user' || i, 'user' || i || '@example.com',
        'pbkdf2_sha256$260000$' || (1000000000000 + i) || '$' || (100000000000000000 + i) || 'bm90IGEgcGFzc3dvcmQgYXQgYWxs=',
        CASE WHEN ${isBot} THEN '' ELSE 'Ada' END, CASE WHEN ${isBot} THEN '' ELSE 'Lovelace' END, true, false, false,
        '2019-03-01 07:00:00.123456', CASE WHEN ${isBot} THEN NULL ELSE ${lastLogin} END FROM n`,
    `INSERT INTO account_emailaddress (id, email, verified, "primary", user_id)
      ${numbers} SELECT i, 'user' || i || '@example.com', NOT (${isBot}), true, i FROM n`,
    `INSERT INTO account_emailconfirmation (created, sent, key, email_address_id)
      ${numbers} SELECT '2019-03-01 07:00:01.5', '2019-03-01 07:00:01.5', 'c3b0f5a2e5f94c7aa9d1f1f0' || (1000000000 + i), i
      FROM n WHERE i % 2 = 1`,
  ]
}
