import { dirname, join, resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { ARCHIVE_DIRECTORY } from './defaults.ts'

/** Returns where archives go: the option, the configuration file, beside that file, here. Undefined: nowhere. */
export function archiveDirectory(
  option: string | false | undefined,
  { configured, file }: Settings,
  cwd: string,
): string | undefined {
  if (typeof option === 'string') return resolve(cwd, option)
  if (option === false || configured.archive === false) return undefined
  return configured.archive ?? join(file === undefined ? cwd : dirname(file), ARCHIVE_DIRECTORY)
}
