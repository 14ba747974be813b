import type { Dialect } from '../db/dialect.ts'
import type { Site } from './site.ts'

/** Which database a site is in, as archives and plans remember it. */
export interface SiteDatabase {
  readonly kind: Dialect['name']
  readonly identity: string
  /** Of the user table: tenants may have one each. */
  readonly schema?: string | undefined
}

/** Returns how archives and plans name the database of the site. */
export function siteDatabase({ db, shape }: Site): SiteDatabase {
  return { kind: db.dialect.name, identity: db.identity, schema: shape.users.namespace }
}

/** Returns whether both are the same, as far as their names tell. */
export function isSameDatabase(one: SiteDatabase, other: SiteDatabase): boolean {
  return one.identity === other.identity && one.schema === other.schema
}

/** Returns the database for people. */
export function shownDatabase({ identity, schema = 'public' }: SiteDatabase): string {
  return schema === 'public' ? identity : `${identity} (schema ${schema})`
}
