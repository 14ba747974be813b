import type { Dialect } from '../db/dialect.ts'
import { UserError } from '../errors.ts'
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
function shownDatabase({ identity, schema = 'public' }: SiteDatabase): string {
  return schema === 'public' ? identity : `${identity} (schema ${schema})`
}

/** Returns the UserError (refused) for something that remembers another database than the site's; the hint says what to do. */
export function otherDatabase(
  remembered: SiteDatabase,
  here: SiteDatabase,
  { problem, hint }: { readonly problem: string; readonly hint: string },
): UserError {
  return new UserError(`${problem}: ${shownDatabase(remembered)}`, {
    kind: 'refused',
    hint: `this one is ${shownDatabase(here)}${hint}`,
  })
}
