import type { ColumnKit, ColumnOf, SiteColumn, SiteTable } from '../db/kit.ts'
import type { Shape } from './discover.ts'
import { ledgerTables } from './ledger.ts'
import { ADDRESS_USER, type UserColumn } from './site-names.ts'

/** The tables that the tool reads and writes by meaning, in the column types of the database at hand. */
export type SiteTables = ReturnType<typeof siteTables>

/** The user table. Only the key is certain; the rest is there when the user model has it. */
export type UserTable = SiteTable<Record<string, ColumnOf<unknown>>> & {
  readonly key: SiteColumn<string>
  readonly username?: SiteColumn<string>
  readonly email?: SiteColumn<string>
  readonly first_name?: SiteColumn<string>
  readonly last_name?: SiteColumn<string>
  readonly password?: SiteColumn<string>
  readonly last_login?: SiteColumn<string>
  readonly date_joined?: SiteColumn<string>
  readonly is_active?: SiteColumn<boolean>
  readonly is_staff?: SiteColumn<boolean>
  readonly is_superuser?: SiteColumn<boolean>
}

const KIND: Record<UserColumn, 'text' | 'instant' | 'boolean'> = {
  username: 'text',
  email: 'text',
  first_name: 'text',
  last_name: 'text',
  password: 'text',
  last_login: 'instant',
  date_joined: 'instant',
  is_active: 'boolean',
  is_staff: 'boolean',
  is_superuser: 'boolean',
}

/** Returns the tables of the site for Drizzle's builders. */
export function siteTables(kit: ColumnKit, shape: Shape) {
  const { addressKey } = shape
  return {
    users: userTable(kit, shape),
    emailAddresses: kit.table(shape.emailAddresses, {
      id: kit.key(addressKey.name, addressKey.type),
      user: kit.key(ADDRESS_USER, shape.userKey.type),
      email: kit.text('email'),
      verified: kit.boolean('verified'),
      primary: kit.boolean('primary'),
    }),
    confirmations: kit.table(
      shape.confirmations ?? { name: 'account_emailconfirmation', schema: undefined },
      {
        emailAddress: kit.key('email_address_id', addressKey.type),
        created: kit.instant('created'),
        sent: kit.instant('sent'),
        key: kit.text('key'),
      },
    ),
    reminders: ledgerTables(kit).reminders,
  }
}

function userTable(kit: ColumnKit, shape: Shape): UserTable {
  const columns: Record<string, ColumnOf<unknown>> = { key: kit.key(shape.userKey.name, shape.userKey.type) }
  for (const [meaning, name] of shape.userColumns) columns[meaning] = kit[KIND[meaning]](name)
  return kit.table(shape.users, columns) as unknown as UserTable
}
