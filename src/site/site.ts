import type { Db } from '../db/port.ts'
import { discoverShape, type Shape } from './discover.ts'
import type { SiteNames } from './site-names.ts'
import { type SiteTables, siteTables } from './tables.ts'

/** The database being administered, with its discovered shape. */
export interface Site {
  readonly db: Db
  readonly shape: Shape
  readonly tables: SiteTables
}

/** Discovers the site in an open database. Throws what `discoverShape` throws. */
export async function siteOf(db: Db, names?: SiteNames): Promise<Site> {
  const shape = await discoverShape(db, names)
  return { db, shape, tables: siteTables(db.dialect.kit, shape) }
}
