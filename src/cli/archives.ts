import { realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { type DatabaseTarget, shownTarget } from '../db/url.ts'

const DEFAULT_DIRECTORY = 'usermgmt-archive'

/** Returns where archives go: the option, the configuration file, beside that file, here. Undefined: nowhere. */
export function archiveDirectory(
  option: string | false | undefined,
  { configured, file }: Settings,
  cwd: string,
): string | undefined {
  if (typeof option === 'string') return resolve(cwd, option)
  if (option === false || configured.archive === false) return undefined
  return configured.archive ?? join(file === undefined ? cwd : dirname(file), DEFAULT_DIRECTORY)
}

/** Returns the database as archives and plans remember it: the same for every role and every link, and without secrets. */
export function databaseIdentity(target: DatabaseTarget): string {
  if (target.kind === 'sqlite') return realPath(target.path)
  return shownTarget(target).replace(/^(postgres:\/\/)[^/]*@/, '$1')
}

/** Returns the path itself when nothing is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
