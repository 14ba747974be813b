import { readFile } from 'node:fs/promises'
import type { Table } from '../../src/db/catalog.ts'
import type { Db } from '../../src/db/port.ts'
import { type Site, siteOf } from '../../src/site/site.ts'
import type { SiteNames } from '../../src/site/site-names.ts'
import { CUSTOM_SITES } from './custom-sites.ts'
import type { DatabaseKind, Harness, TestDatabase } from './databases.ts'
import { insertRow, type ReadRow, type Row, readRows } from './rows.ts'

/** Copied from real projects: tests/fixtures/schemas. */
export const REAL_SITES = [
  'django3.2-allauth0.51',
  'django5.2-allauth65',
  'uuid-user',
  'cookiecutter',
  'known-apps',
] as const

export type SiteName = (typeof REAL_SITES)[number] | keyof typeof CUSTOM_SITES

/** A site in a database that the test has for itself; good wherever a `Site` is wanted. */
export interface TestSite extends Site {
  readonly database: TestDatabase
  /** For the command line. */
  readonly url: string
}

/** Returns the DDL of the site for `TestDatabase.run`. */
async function schemaOf(kind: DatabaseKind, name: SiteName): Promise<string> {
  if (name in CUSTOM_SITES) return CUSTOM_SITES[name as keyof typeof CUSTOM_SITES]
  const file = new URL(`../fixtures/schemas/${name}.${kind}.sql`, import.meta.url)
  // SQLite makes this table itself, and lets nobody else.
  return (await readFile(file, 'utf8')).replace('CREATE TABLE sqlite_sequence(name,seq);', '')
}

/** A fresh site without users. `tables` is more DDL: the dependents that the test is about. */
export async function createSite(harness: Harness, name: SiteName, tables = ''): Promise<TestSite> {
  const database = await harness.prepared(`${name}\n${tables}`, async (empty) => {
    await empty.run(await schemaOf(empty.kind, name))
    if (tables) await empty.run(tables)
  })
  return siteIn(database)
}

/**
 * A site in a PostgreSQL schema of its own, reached through the search path of the URL; as Django does it with
 * `OPTIONS: {'options': '-c search_path=…'}`.
 */
export async function siteInSchema(
  harness: Harness,
  name: SiteName,
  { schema, searchPath = schema }: { schema: string; searchPath?: string },
): Promise<TestSite> {
  const database = await harness.empty()
  const script = (await schemaOf('postgres', name)).replaceAll('public.', `${schema}.`)
  await database.run(`create schema if not exists ${schema}; set search_path = ${schema}; ${script}`)
  const url = `${database.url}?options=${encodeURIComponent(`-c search_path=${searchPath}`)}`
  return { ...(await siteOf(await database.open({}, url))), database, url }
}

/** The site in a database that holds one already, discovered anew. */
export async function siteIn(database: TestDatabase, names?: SiteNames): Promise<TestSite> {
  return { ...(await siteOf(database.db, names)), database, url: database.url }
}

/** The site with more tables: DDL in the neutral types of `ddlFor`. */
export async function withTables(site: TestSite, tables: string): Promise<TestSite> {
  await site.database.run(tables)
  return siteIn(site.database)
}

/** Inserts a row, filling in what the table insists on. Returns its key as text. */
export function insert(site: Site, table: string, row: Row): Promise<string> {
  return insertRow(site.db, tableOf(site, table), row)
}

/** Returns the rows of a table in the order of its key; every value as text, except booleans and null. */
export async function rowsOf(db: Db, table: string): Promise<ReadRow[]> {
  const { tables } = await db.dialect.catalog(db)
  return readRows(db, known(tables, table))
}

/** Returns the rows of all tables that have some: to compare a whole database before and after. */
export async function allRowsOf(db: Db): Promise<Record<string, ReadRow[]>> {
  const { tables } = await db.dialect.catalog(db)
  const found: Record<string, ReadRow[]> = {}
  for (const table of tables.values()) {
    const rows = await readRows(db, table)
    if (rows.length > 0) found[table.label] = rows
  }
  return found
}

function tableOf(site: Site, label: string): Table {
  return known(site.shape.catalog.tables, label)
}

function known(tables: ReadonlyMap<string, Table>, label: string): Table {
  const table = tables.get(label)
  if (!table) throw new Error(`no table ${label} among ${[...tables.keys()].join(', ')}`)
  return table
}
