import { readdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { dateOf } from '../../django/datetime.ts'
import { UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import { archivedUsers } from '../../users/archived-users.ts'
import { openArchive } from '../../users/open-archive.ts'
import { pastInstant } from '../../values/dates.ts'
import { named } from '../../values/readers.ts'
import { archiveDirectory } from '../archives.ts'
import type { PruneOptions } from '../commands/archive.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { archiveEndNote } from '../render/archive-end.ts'
import { counted } from '../render/numbers.ts'
import { plainText } from '../render/plain-text.ts'
import { talkOf } from '../talk.ts'
import { settingsOf } from '../with-site.ts'

const ARCHIVE_NAME = /^purge-.*\.ndjson\.gz$/

/** Prints who is in the archive. */
export async function showArchive(context: Context, globals: GlobalOptions, file: string): Promise<void> {
  const archive = await openArchive(resolve(context.cwd, file))
  try {
    const note = archiveEndNote(archive.reader)
    if (note !== undefined) await talkOf(context, globals).say(note)
    for await (const { id, username, email } of archivedUsers(archive)) {
      await context.stdout.write(`${[id, username, email].map(plainText).join('\t')}\n`)
    }
  } finally {
    await archive.reader.close()
  }
}

/** None where nothing has been archived yet. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new UserError(`the archives in ${directory} cannot be listed: ${fileReason(cause)}`, { cause })
  }
}

/** Removes the archives that are older than asked. */
export async function pruneArchives(
  context: Context,
  globals: GlobalOptions,
  { olderThan, archive }: PruneOptions,
): Promise<void> {
  const settings = await settingsOf(context, globals)
  const directory = archiveDirectory(archive, settings, context.cwd)
  if (directory === undefined) {
    throw new UserError('there is no archive directory: the configuration file says archive: false')
  }
  const clock = { now: context.now(), zone: 'UTC' }
  const oldest = dateOf(named('--older-than', () => pastInstant(olderThan, clock)))
  const names = (await namesIn(directory)).filter((name) => ARCHIVE_NAME.test(name))
  let removed = 0
  for (const name of names) {
    const path = join(directory, name)
    if ((await stat(path)).mtime >= oldest) continue
    await rm(path)
    removed += 1
  }
  await context.stdout.write(`${counted(removed, 'archive')} removed, ${names.length - removed} kept\n`)
}
