import type { Site } from '../../site/site.ts'
import { isSameDatabase, siteDatabase } from '../../site/site-database.ts'
import { shownPlace, tableAt } from '../../site/table-place.ts'
import type { ArchivedTable, ArchiveHeader } from './header.ts'
import type { OpenArchive } from './open-archive.ts'

/**
 * Returns the archive with its tables called as the site calls them now: the search path may be another one, or lead to
 * another table by the same name. In another database the names are all that there is to go by.
 */
export function namedHere(site: Site, archive: OpenArchive): OpenArchive {
  const { header } = archive
  if (!isSameDatabase(header.database, siteDatabase(site))) return archive
  const names = new Map(header.tables.map((table) => [table.name, nameHere(site, table)]))
  const named = (name: string) => names.get(name) ?? name
  const tables = header.tables.map((table) => ({ ...table, name: named(table.name) }))
  const here: ArchiveHeader = {
    ...header,
    tables,
    users: named(header.users),
    email_addresses: named(header.email_addresses),
  }
  return { ...archive, header: here }
}

/** Of a table that is gone, a name that no other one has. */
function nameHere({ shape }: Site, { name, place }: ArchivedTable): string {
  if (!place) return name
  const table = tableAt(shape.catalog, place)
  if (table) return table.label
  return shape.catalog.tables.has(name) ? shownPlace(place) : name
}
