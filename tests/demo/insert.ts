import type Sqlite from 'better-sqlite3'
import { djangoText } from '../../src/django/datetime.ts'
import { type Account, microseconds } from './accounts.ts'

/** Writes the accounts as Django and allauth would have, in one transaction; ids count from 1. */
export function insertAccounts(database: Sqlite.Database, accounts: readonly Account[]): void {
  const insert = statements(database)
  database.transaction(() => {
    for (const [i, account] of accounts.entries()) insertAccount(insert, i + 1, account)
  })()
}

type Statements = ReturnType<typeof statements>

function statements(database: Sqlite.Database) {
  const into = (table: string, ...columns: string[]) => {
    const names = columns.map((column) => `"${column}"`).join(', ')
    return database.prepare(`INSERT INTO ${table} (${names}) VALUES (${columns.map(() => '?').join(', ')})`)
  }
  return {
    user: into(
      'auth_user',
      ...['id', 'username', 'email', 'password', 'first_name', 'last_name'],
      ...['is_active', 'is_staff', 'is_superuser', 'date_joined', 'last_login'],
    ),
    address: into('account_emailaddress', 'user_id', 'email', 'verified', 'primary'),
    social: into(
      'socialaccount_socialaccount',
      ...['user_id', 'provider', 'uid', 'extra_data', 'date_joined', 'last_login'],
    ),
    post: into('blog_post', 'author_id', 'title', 'published'),
  }
}

function insertAccount(insert: Statements, id: number, account: Account): void {
  const { username, email, joined, lastLogin, secondAddress, provider } = account
  const at = (date: Date) => djangoText(microseconds(date, id * 7_919))
  insert.user.run(
    ...[id, username, email, unusablePassword(id), account.firstName ?? '', account.lastName ?? ''],
    ...[account.deactivated ? 0 : 1, account.staff ? 1 : 0, account.superuser ? 1 : 0],
    ...[at(joined), lastLogin ? at(lastLogin) : null],
  )
  insert.address.run(id, email, account.verified ? 1 : 0, 1)
  if (secondAddress) insert.address.run(id, secondAddress, 1, 0)
  if (provider) {
    insert.social.run(id, provider, String(100_000 + id), '{}', at(joined), at(lastLogin ?? joined))
  }
  for (const { title, published } of account.posts ?? []) insert.post.run(id, title, at(published))
}

/** Nobody logs in to the demo. */
function unusablePassword(id: number): string {
  return `!${String(id).padStart(40, '0')}`
}
