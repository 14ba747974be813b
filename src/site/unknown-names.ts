import { type Catalog, columnOf, type Table } from '../db/catalog.ts'
import { UserError } from '../errors.ts'
import { didYouMean } from '../suggest.ts'
import type { SiteNames } from './site-names.ts'

interface Problem {
  /** `tables.users`. */
  readonly setting: string
  readonly what: string
}

/**
 * Throws a UserError that tells all names of the configuration file that the database does not have. The columns are
 * looked for in the user table, whether it was found by its name or otherwise.
 */
export function refuseUnknownNames(catalog: Catalog, names: SiteNames, users: Table | undefined): void {
  const [first, ...more] = [...unknownTables(catalog, names), ...(users ? unknownColumns(users, names) : [])]
  if (!first) return
  if (more.length === 0) {
    throw new UserError(first.what, { hint: `see ${first.setting} in the configuration file` })
  }
  const lines = [first, ...more].map(({ setting, what }) => `  ${setting}: ${what}`)
  throw new UserError([`the configuration file names what is not in the database:`, ...lines].join('\n'))
}

function unknownTables({ tables }: Catalog, names: SiteNames): Problem[] {
  const named = [
    ['tables.users', names.users],
    ['tables.email_addresses', names.emailAddresses],
  ] as const
  return named.flatMap(([setting, name]) =>
    name === undefined || tables.has(name)
      ? []
      : [{ setting, what: `there is no table ${name}${didYouMean(name, tables.keys())}` }],
  )
}

function unknownColumns(users: Table, { columns = {} }: SiteNames): Problem[] {
  const known = users.columns.map((column) => column.name)
  return Object.entries(columns).flatMap(([meaning, name]) =>
    name === undefined || columnOf(users, name)
      ? []
      : [
          {
            setting: `columns.${meaning}`,
            what: `the user table ${users.label} has no column ${name}${didYouMean(name, known)}`,
          },
        ],
  )
}
