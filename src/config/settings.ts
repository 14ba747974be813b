import { dirname, resolve } from 'node:path'
import { type DatabaseTarget, parseDatabaseUrl } from '../db/url.ts'
import type { Configured } from './configured.ts'
import { findConfigFile, readConfigFile } from './file.ts'

/** Settings that a run starts from: the configuration file, the environment and the program's own options. */
export interface Settings {
  readonly target: DatabaseTarget
  /** The configuration file, when there is one. */
  readonly file: string | undefined
  readonly configured: Configured
}

const DEFAULT_DATABASE = 'usermgmt.sqlite3'

/** Where settings come from, other than the file. */
export interface Given {
  readonly database?: string
  readonly config?: string
}

/**
 * Returns the settings of a run started in `cwd`. The database: option, USERMGMT_DATABASE_URL, DATABASE_URL, file,
 * `./usermgmt.sqlite3`. Throws a UserError (invalid) that names every problem of the file at once.
 */
export async function loadSettings(
  given: Given,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<Settings> {
  const file = given.config === undefined ? findConfigFile(cwd) : resolve(cwd, given.config)
  const configured = file === undefined ? { rules: {}, names: {} } : await readConfigFile(file)
  const fromCaller = databaseFrom(given, env)
  const target =
    fromCaller === undefined ? targetOf(configured, file, cwd) : parseDatabaseUrl(fromCaller, cwd)
  return { target, file, configured }
}

/** Returns the database that the caller names; undefined leaves it to the file. */
export function databaseFrom(
  { database }: Pick<Given, 'database'>,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return (database ?? (env.USERMGMT_DATABASE_URL || env.DATABASE_URL)) || undefined
}

/** A relative path in the file starts at the file, so that it means the same from everywhere. */
function targetOf({ database }: Configured, file: string | undefined, cwd: string): DatabaseTarget {
  if (database === undefined || file === undefined) return parseDatabaseUrl(DEFAULT_DATABASE, cwd)
  return parseDatabaseUrl(database, dirname(file))
}
