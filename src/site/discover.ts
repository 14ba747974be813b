import { type Catalog, type Column, columnOf, type ForeignKey, type Table } from '../db/catalog.ts'
import type { Db } from '../db/port.ts'
import { UserError } from '../errors.ts'
import { RUN_TABLE } from './ledger.ts'
import { ADDRESS_USER, type SiteNames, USER_COLUMNS, type UserColumn } from './site-names.ts'
import { refuseUnknownNames } from './unknown-names.ts'

/** allauth's own name for it. */
export const EMAIL_ADDRESSES = 'account_emailaddress'

/** Which tables and columns of this database mean what. */
export interface Shape {
  readonly catalog: Catalog
  readonly users: Table
  readonly userKey: Column
  /** The real name of each known column that the user table has. */
  readonly userColumns: ReadonlyMap<UserColumn, string>
  readonly emailAddresses: Table
  readonly addressKey: Column
  readonly confirmations: Table | undefined
  readonly socialAccounts: Table | undefined
  readonly djangoSites: Table | undefined
  /** The tool's own tables are there: `migrate` has been run. */
  readonly hasLedger: boolean
}

const USER_FLAGS: readonly UserColumn[] = ['is_active', 'is_staff', 'is_superuser']
/** As the user model is written that Django's documentation gives in full: its `is_staff` is a property. */
const STAFF_IN_DOCUMENTATION = 'is_admin'
const ADDRESS_FLAGS = ['verified', 'primary']
const USER_TIMES: readonly UserColumn[] = ['last_login', 'date_joined']
const CONFIRMATION_TIMES = ['sent']

/**
 * Returns the shape of the site, found from the foreign key of allauth's address table.
 * Throws a UserError when there is no such table, or no user table can be told from it, and for names that the
 * database does not have.
 */
export async function discoverShape(db: Db, names: SiteNames = {}): Promise<Shape> {
  const catalog = await db.transaction('read', (tx) => tx.dialect.catalog(tx))
  refuseEmpty(catalog)
  const addresses = catalog.tables.get(names.emailAddresses ?? EMAIL_ADDRESSES)
  const link = catalog.foreignKeys.find((key) => key.table === addresses && key.columns[0] === ADDRESS_USER)
  const found = catalog.tables.get(names.users ?? '') ?? likelyUsers(catalog, link)
  refuseUnknownNames(catalog, names, found)
  const emailAddresses = addresses ?? refuseWithoutAddresses()
  const users = found ?? refuseWithoutUsers()
  const keyName = link?.references === users ? link.referencedColumns[0] : users.primaryKey[0]
  const userKey = keyName === undefined ? undefined : columnOf(users, keyName)
  if (!userKey) throw withoutKey('user', users)
  const addressKey = columnOf(emailAddresses, emailAddresses.primaryKey[0] ?? 'id')
  if (!addressKey) throw withoutKey('address', emailAddresses)
  const { isFlag, isTime } = db.dialect
  const columns = userColumns(users, names, isFlag)
  const named = (names: readonly UserColumn[]) => names.map((name) => columns.get(name))
  const beside = (name: string) => tableBeside(catalog, emailAddresses, name)
  const confirmations = beside('account_emailconfirmation')
  refuseOtherTypes(users, named(USER_FLAGS), isFlag, 'boolean')
  refuseOtherTypes(emailAddresses, ADDRESS_FLAGS, isFlag, 'boolean')
  refuseOtherTypes(users, named(USER_TIMES), isTime, 'a time')
  if (confirmations) refuseOtherTypes(confirmations, CONFIRMATION_TIMES, isTime, 'a time')
  return {
    catalog,
    users,
    userKey,
    userColumns: columns,
    emailAddresses,
    addressKey,
    confirmations,
    socialAccounts: beside('socialaccount_socialaccount'),
    djangoSites: beside('django_site'),
    hasLedger: catalog.tables.has(RUN_TABLE),
  }
}

/** Throws a UserError for a column that is to tell yes from no, or when something was, and cannot. */
function refuseOtherTypes(
  table: Table,
  columns: readonly (string | undefined)[],
  fits: (type: string) => boolean,
  usual: string,
): void {
  for (const { name, type } of table.columns) {
    if (!columns.includes(name) || fits(type)) continue
    throw new UserError(`${table.label}.${name} is ${type}, where Django has ${usual}`, {
      hint: 'change its type, or name another column in the configuration file (columns)',
    })
  }
}

function refuseEmpty({ tables }: Catalog): void {
  if (tables.size > 0) return
  throw new UserError('the database is empty', {
    hint: 'see the database URL, or create the schema with: usermgmt migrate',
  })
}

function refuseWithoutAddresses(): never {
  throw new UserError(
    `there is no table ${EMAIL_ADDRESSES}: this does not look like a site with django-allauth`,
    {
      hint: 'see the database URL (and its search_path on PostgreSQL), or name the table in the configuration file (tables.email_addresses)',
    },
  )
}

function refuseWithoutUsers(): never {
  throw new UserError('cannot tell which table holds the users', {
    hint: 'name it in the configuration file (tables.users)',
  })
}

/** Returns the table of that name in the schema of the other one, or on the search path. */
function tableBeside(catalog: Catalog, { schema }: Table, name: string): Table | undefined {
  return catalog.tables.get(schema === undefined ? name : `${schema}.${name}`) ?? catalog.tables.get(name)
}

function likelyUsers(catalog: Catalog, link: ForeignKey | undefined): Table | undefined {
  const logged = catalog.foreignKeys.find(
    (key) => key.table.name === 'django_admin_log' && key.columns[0] === 'user_id',
  )
  return link?.references ?? logged?.references ?? onlyTableWithLogins(catalog)
}

function onlyTableWithLogins(catalog: Catalog): Table | undefined {
  const found = [...catalog.tables.values()].filter(
    (table) => columnOf(table, 'password') && columnOf(table, 'last_login'),
  )
  return found.length === 1 ? found[0] : undefined
}

function userColumns(
  users: Table,
  names: SiteNames,
  isFlag: (type: string) => boolean,
): Map<UserColumn, string> {
  const found = new Map<UserColumn, string>()
  for (const meaning of USER_COLUMNS) {
    const name = names.columns?.[meaning] ?? meaning
    if (columnOf(users, name)) found.set(meaning, name)
  }
  const admin = columnOf(users, STAFF_IN_DOCUMENTATION)
  if (!found.has('is_staff') && admin && isFlag(admin.type)) found.set('is_staff', admin.name)
  return found
}

function withoutKey(what: string, { label }: Table): UserError {
  return new UserError(`the ${what} table ${label} has no primary key`, {
    hint: 'Django gives every table one: see whether it is the right table, and its migrations',
  })
}
