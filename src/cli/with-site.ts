import { loadSettings, type Settings } from '../config/settings.ts'
import { openDatabase } from '../db/open.ts'
import type { Db, OpenOptions } from '../db/port.ts'
import { shownTarget } from '../db/url.ts'
import { type Site, siteOf } from '../site/site.ts'
import type { Context, GlobalOptions } from './context.ts'
import { expectedError } from './expected-error.ts'
import { talkOf } from './talk.ts'

export interface SiteOptions extends OpenOptions {
  /** When they have been loaded already. */
  readonly settings?: Settings
}

/** Returns the settings of this run: the program's options, the environment, the configuration file. */
export async function settingsOf(context: Context, globals: GlobalOptions): Promise<Settings> {
  return loadSettings(globals, context.env, context.cwd)
}

/** Opens the database, runs the work on the site found in it, and closes it. Database errors come out in words. */
export async function withSite<T>(
  context: Context,
  globals: GlobalOptions,
  work: (site: Site, settings: Settings) => Promise<T>,
  options: SiteOptions = {},
): Promise<T> {
  return withDatabase(
    context,
    globals,
    async (db, settings) => {
      const site = await siteOf(db, settings.configured.names)
      if (globals.verbose) await tellGuards(site, context, globals)
      return work(site, settings)
    },
    options,
  )
}

/** Mostly nobody asks; then what knows of guards need not be loaded. */
async function tellGuards(site: Site, context: Context, globals: GlobalOptions): Promise<void> {
  const { guardsWithout } = await import('../users/guards.ts')
  await talkOf(context, globals).detail(...guardsWithout(site).map((line) => `guard ${line}`))
}

/** As `withSite`, whatever is in the database: for commands that run before there is a site. */
export async function withDatabase<T>(
  context: Context,
  globals: GlobalOptions,
  work: (db: Db, settings: Settings) => Promise<T>,
  { settings: loaded, ...opening }: SiteOptions = {},
): Promise<T> {
  const settings = loaded ?? (await settingsOf(context, globals))
  const shown = shownTarget(settings.target)
  await talkOf(context, globals).detail(`configuration: ${settings.file ?? 'none'}`, `database: ${shown}`)
  try {
    const db = await openDatabase(settings.target, opening)
    return await closing(db, () => work(db, settings))
  } catch (error) {
    throw expectedError(error, shown) ?? error
  }
}

/** A connection that cannot even be closed must not hide why. */
async function closing<T>(db: Db, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    await db.close().catch(() => {})
  }
}
