import { databaseFrom, type Settings } from '../config/settings.ts'
import { typedTarget } from '../db/url.ts'
import type { CommandContext } from './command-context.ts'
import { shellWord } from './shell-word.ts'

/** Where a run has its database from. */
export interface Surroundings {
  readonly context: CommandContext
  readonly settings: Settings
}

/**
 * Returns a line for a POSIX shell that runs the command on the database of this run, wherever it is pasted. It shows
 * no password, and leaves to the environment what came from there.
 */
export function commandLine(words: readonly string[], surroundings: Surroundings): string {
  return ['usermgmt', ...words, ...wordsOf(surroundings)].map(shellWord).join(' ')
}

function wordsOf({ context, settings: { target, file, configured } }: Surroundings): string[] {
  const isFound = databaseFrom({}, context.env) !== undefined || configured.database !== undefined
  return [
    ...(file === undefined ? [] : ['--config', file]),
    ...(context.globals.database === undefined && isFound ? [] : ['--database', typedTarget(target)]),
  ]
}
