import { loadSettings, type Settings } from '../config/settings.ts'
import { openDatabase } from '../db/open.ts'
import type { Db, OpenOptions } from '../db/port.ts'
import { shownTarget } from '../db/url.ts'
import { type Site, siteOf } from '../site/site.ts'
import type { CommandContext } from './command-context.ts'
import { expectedError } from './expected-error.ts'

export interface SiteOptions extends OpenOptions {
  /** When they have been loaded already. */
  readonly settings?: Settings
}

/** Returns the settings of this run: the program's options, the environment, the configuration file. */
export async function settingsOf(context: CommandContext): Promise<Settings> {
  return loadSettings(context.globals, context.env, context.cwd)
}

/** Opens the database, runs the work on the site found in it, and closes it. Database errors come out in words. */
export async function withSite<T>(
  context: CommandContext,
  work: (site: Site) => Promise<T>,
  { settings: loaded, ...opening }: SiteOptions = {},
): Promise<T> {
  const settings = loaded ?? (await settingsOf(context))
  const onSite = async (db: Db) => {
    const site = await siteOf(db, settings.configured.names)
    if (context.globals.verbose) await tellGuards(site, context)
    return work(site)
  }
  return withDatabase(context, settings, onSite, opening)
}

/** Mostly nobody asks; then what knows of guards need not be loaded. */
async function tellGuards(site: Site, context: CommandContext): Promise<void> {
  const { guardsWithout } = await import('../users/guards.ts')
  await context.talk.detail(
    ...guardsWithout(site).map(({ guard, what, so }) => `guard ${guard}: ${what.join(', ')}, so ${so}`),
  )
}

/** As `withSite`, whatever is in the database: for commands that run before there is a site. */
export async function withDatabase<T>(
  context: CommandContext,
  { target, file }: Settings,
  work: (db: Db) => Promise<T>,
  opening: OpenOptions = {},
): Promise<T> {
  const shown = shownTarget(target)
  await context.talk.detail(`configuration: ${file ?? 'none'}`, `database: ${shown}`)
  try {
    const db = await openDatabase(target, opening)
    return await closing(db, () => work(db))
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
