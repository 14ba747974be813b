import type { Db, TransactionMode } from '../db/port.ts'
import { UserError } from '../errors.ts'
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

/** Runs the work in one transaction, on the site as it is within: see `Db.transaction`. */
export function inTransaction<T>(
  site: Site,
  mode: TransactionMode,
  work: (here: Site) => Promise<T>,
): Promise<T> {
  return site.db.transaction(mode, (tx) => work({ ...site, db: tx }))
}

/** Returns the user's key, in the database's text form, as people read and write it. */
export function shownUserKey({ db, shape }: Pick<Site, 'db' | 'shape'>, key: string): string {
  return db.dialect.shownKey(key, shape.userKey.type)
}

/** Throws a UserError when the site has no ledger: `lack` is what is missing with it, `then` what to do when it is there. */
export function refuseWithoutLedger({ shape }: Pick<Site, 'shape'>, lack: string, then?: string): void {
  if (shape.hasLedger) return
  throw new UserError(`there is no ledger: ${lack}`, {
    hint: ['usermgmt migrate makes its tables', then].filter(Boolean).join('; '),
  })
}
