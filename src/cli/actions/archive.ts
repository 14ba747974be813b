import { resolve } from 'node:path'
import { dateOf } from '../../django/datetime.ts'
import { UserError } from '../../errors.ts'
import { archivedUsers } from '../../users/archive/archived-users.ts'
import { type OpenArchive, openArchive } from '../../users/archive/open-archive.ts'
import { type PruneReport, pruneArchives } from '../../users/archive/prune-archives.ts'
import { pastInstant } from '../../values/dates.ts'
import { counted } from '../../values/numbers.ts'
import { withName } from '../../values/readers.ts'
import { archiveDirectory } from '../archives.ts'
import type { CommandContext } from '../command-context.ts'
import type { PruneOptions } from '../commands/archive.ts'
import { clockOf } from '../criteria.ts'
import { archiveEndNote } from '../render/archive-end.ts'
import { plainText } from '../render/plain-text.ts'
import type { Talk } from '../talk.ts'
import { settingsOf } from '../with-site.ts'
import { writeAll } from '../write-all.ts'

/** Prints who is in the archive. */
export async function showArchive(context: CommandContext, file: string): Promise<void> {
  const archive = await openArchive(resolve(context.cwd, file))
  try {
    const note = archiveEndNote(archive.reader)
    if (note !== undefined) await context.talk.say(note)
    await writeAll(context.stdout, linesOf(archive))
  } finally {
    await archive.reader.close()
  }
}

/** Yields who is in the archive, each as a line. */
async function* linesOf(archive: OpenArchive): AsyncGenerator<string> {
  for await (const { id, username, email } of archivedUsers(archive)) {
    yield `${[id, username, email].map(plainText).join('\t')}\n`
  }
}

/** Removes the archives that are older than asked. */
export async function pruneOldArchives(
  context: CommandContext,
  { olderThan, archive }: PruneOptions,
): Promise<void> {
  const settings = await settingsOf(context)
  const directory = archiveDirectory(archive, settings, context.cwd)
  if (directory === undefined) {
    throw new UserError('there is no archive directory: the configuration file says archive: false', {
      hint: 'name the directory to look in with --archive',
    })
  }
  const clock = clockOf({}, settings.configured, context)
  const oldest = dateOf(withName('--older-than', () => pastInstant(olderThan, clock)))
  const report = await pruneArchives(directory, { oldest, now: clock.now })
  if (report.isMissing) await reportMissing(directory, archive, context.talk)
  const { unfinished } = report
  const kept = report.kept + unfinished + report.failed.length
  const remark = unfinished > 0 ? ` (${unfinished} without an end: the purge may be at work)` : ''
  if (!context.globals.quiet || report.removed + report.failed.length > 0) {
    await context.stdout.write(`${counted(report.removed, 'archive')} removed, ${kept} kept${remark}\n`)
  }
  throwUnlessPruned(report)
}

/** Before the first purge there is none; whoever names one means one that is there. Throws a UserError then. */
async function reportMissing(directory: string, named: string | undefined, talk: Talk): Promise<void> {
  const message = `there is no directory ${directory}`
  if (named !== undefined) throw new UserError(message, { hint: 'see --archive' })
  await talk.say(message)
}

/** Each in a line of its own. */
function throwUnlessPruned({ failed }: PruneReport): void {
  if (failed.length === 0) return
  const lines = failed.map(({ path, reason }) => `  ${path}: ${reason}`)
  throw new UserError([`${counted(failed.length, 'archive')} could not be removed:`, ...lines].join('\n'))
}
