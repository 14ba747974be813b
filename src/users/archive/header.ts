import type { Table } from '../../db/catalog.ts'
import { type Instant, instantOf } from '../../django/datetime.ts'
import type { Dependents } from '../../site/dependents.ts'
import type { Site } from '../../site/site.ts'
import { type SiteDatabase, siteDatabase } from '../../site/site-database.ts'
import { placeOf, type TablePlace } from '../../site/table-place.ts'
import type { Criteria } from '../criteria.ts'

export const ARCHIVE_FORMAT = 1

/** What a table was like when its rows were deleted; rows are arrays in the order of `columns`. */
export interface ArchivedTable {
  /** Its label. */
  readonly name: string
  /** Where it lies, where there are schemas; with another search path it has another label. */
  readonly place?: TablePlace | undefined
  readonly columns: readonly string[]
  readonly types: readonly string[]
}

export interface ArchivedEdge {
  readonly rule: 'delete' | 'set-null'
  readonly table: number
  readonly columns: readonly string[]
  readonly references: number
  readonly referenced: readonly string[]
}

/** The first line of an archive. */
export interface ArchiveHeader {
  readonly usermgmt: string
  readonly format: number
  /** The purge in the ledger, when there is one. */
  readonly run?: string | undefined
  /** Where the users were. */
  readonly database: SiteDatabase
  readonly started: Instant
  readonly users: string
  readonly user_key: string
  /** Those that the user model has. */
  readonly user_columns: { readonly username?: string | undefined; readonly email?: string | undefined }
  readonly email_addresses: string
  readonly email_address_key: string
  readonly tables: readonly ArchivedTable[]
  /** Through which columns rows hang on others: to find what belongs to one user. */
  readonly edges: readonly ArchivedEdge[]
  readonly criteria: Criteria
}

/** Returns the header of a run that starts now. */
export function archiveHeader(
  site: Site,
  dependents: Dependents,
  criteria: Criteria,
  run: { readonly version: string; readonly now: Date; readonly id?: string | undefined },
): ArchiveHeader {
  const tables = archivedTables(dependents)
  const numbers = new Map(tables.map((table, i) => [table, i]))
  const { users, userKey, userColumns, emailAddresses, addressKey } = site.shape
  return {
    usermgmt: run.version,
    format: ARCHIVE_FORMAT,
    run: run.id,
    database: siteDatabase(site),
    started: instantOf(run.now),
    users: users.label,
    user_key: userKey.name,
    user_columns: { username: userColumns.get('username'), email: userColumns.get('email') },
    email_addresses: emailAddresses.label,
    email_address_key: addressKey.name,
    tables: tables.map((table) => ({
      name: table.label,
      place: placeOf(table),
      columns: table.columns.map((column) => column.name),
      types: table.columns.map((column) => column.type),
    })),
    edges: dependents.edges.flatMap(({ rule, ...edge }) =>
      rule === 'keep'
        ? []
        : [
            {
              rule,
              table: numbers.get(edge.table) ?? -1,
              columns: edge.columns,
              references: numbers.get(edge.references) ?? -1,
              referenced: edge.referencedColumns,
            },
          ],
    ),
    criteria: { ...criteria, selection: { ...criteria.selection, userIds: undefined, userKeys: undefined } },
  }
}

/** Returns the tables that an archive names by number: those that lose rows, and those that lose a reference. */
export function archivedTables(dependents: Dependents): Table[] {
  const cleared = dependents.edges.filter((edge) => edge.rule === 'set-null').map((edge) => edge.table)
  return [...new Set([...dependents.order.flat(), ...cleared])]
}
