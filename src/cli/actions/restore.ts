import { resolve } from 'node:path'
import type { Table } from '../../db/catalog.ts'
import type { Trigger } from '../../db/dialect.ts'
import { wholeSecond } from '../../django/datetime.ts'
import { UserError } from '../../errors.ts'
import { keepHeapLean } from '../../lean-heap.ts'
import { outcomeOf, type RunEnd } from '../../ledger/run.ts'
import type { Site } from '../../site/site.ts'
import { isSameDatabase, otherDatabase, type SiteDatabase, siteDatabase } from '../../site/site-database.ts'
import { tablesHere } from '../../users/archive/archived-rows.ts'
import { findArchived } from '../../users/archive/find-archived.ts'
import { namedHere } from '../../users/archive/named-here.ts'
import { type OpenArchive, openArchive } from '../../users/archive/open-archive.ts'
import { type Shortfall, shortfallOf } from '../../users/archive/shortfall.ts'
import { restore } from '../../users/restore/restore.ts'
import { isWritten, type RestoreReport, rowsPutBack } from '../../users/restore/restore-report.ts'
import { refuseWithoutRights } from '../../users/restore/restore-rights.ts'
import { shownInstant } from '../../values/dates.ts'
import { counted, shownNumber } from '../../values/numbers.ts'
import type { CommandContext } from '../command-context.ts'
import type { RestoreCommandOptions } from '../commands/restore.ts'
import { confirmRestoration } from '../confirm.ts'
import { Interrupted } from '../interrupted.ts'
import { styleFor } from '../paint.ts'
import { printReport } from '../print-report.ts'
import { withStoppableProgress } from '../progress.ts'
import { restoreJson, restoreText } from '../render/restore.ts'
import type { Talk } from '../talk.ts'
import { withRun } from '../with-run.ts'
import { withSite } from '../with-site.ts'

/** Puts back what an archive holds; with `--dry-run` only says what that would be. */
export async function restoreArchive(
  context: CommandContext,
  file: string,
  options: RestoreCommandOptions,
): Promise<void> {
  keepHeapLean()
  const archive = await openArchive(resolve(context.cwd, file))
  try {
    const { report, shortfall, triggers } = await withSite(context, async (site) => {
      const restoration = await checkedRestoration(site, archive, options, context)
      if (!options.dryRun && !options.yes) await confirm(site, restoration)
      const carryOut = options.dryRun ? putBack : putBackRecorded
      const { shortfall, triggers } = restoration
      return { report: await carryOut(site, restoration), shortfall, triggers }
    })
    const around = { shortfall, triggers: triggers.filter(({ table }) => isWritten(report, table)) }
    const text =
      options.format === 'json'
        ? restoreJson(report, around)
        : restoreText(report, around, options.dryRun === true, await styleFor(context.stdout, context))
    await printReport(context, text, () => throwUnlessRestored(report, shortfall, options))
  } finally {
    await archive.reader.close()
  }
}

/** Everything about one restoration that its steps share. */
interface Restoration {
  readonly context: CommandContext
  readonly options: RestoreCommandOptions
  readonly archive: OpenArchive
  /** The keys of those who are meant; undefined for everybody. */
  readonly users: readonly string[] | undefined
  readonly tables: readonly Table[]
  /** What the archive should hold, and does not. */
  readonly shortfall: Shortfall | undefined
  /** On these tables. */
  readonly triggers: readonly Trigger[]
}

/** Throws a UserError when the archive cannot be put back here; warns of what may happen then. */
async function checkedRestoration(
  site: Site,
  opened: OpenArchive,
  options: RestoreCommandOptions,
  context: CommandContext,
): Promise<Restoration> {
  refuseOther(opened.header.database, siteDatabase(site), options)
  const archive = namedHere(site, opened)
  const users = options.user && (await findArchived(site, archive, options.user))
  await refuseWithoutRights(site, archive, users)
  const shortfall = users ? undefined : await shortfallOf(site, archive)
  const tables = tablesHere(site, archive.header)
  const triggers = await site.db.dialect.triggers(site.db, tables)
  await warnOfTriggers(triggers, context.talk)
  return { context, options, archive, users, tables, shortfall, triggers }
}

async function confirm(site: Site, { context, archive, users }: Restoration): Promise<void> {
  const purged = shownInstant(wholeSecond(archive.header.started), 'UTC')
  const what = `${users ? counted(users.length, 'user') : 'everybody'} purged ${purged}`
  await confirmRestoration(context, { what, where: site.db.identity })
}

async function putBackRecorded(site: Site, restoration: Restoration): Promise<RestoreReport> {
  const { context, options, archive, tables, shortfall } = restoration
  const report = await withRun(
    context,
    site,
    { command: 'restore', options },
    () => putBack(site, restoration),
    (done) => endOf(done, shortfall, archive.path),
  )
  // Of a database that has gone nothing can be said; the next restoration goes on, and looks.
  if (report.stopped === undefined || report.stopped === 'interrupted') {
    await advanceSequences(site, tables, context.talk)
  }
  return report
}

function putBack(site: Site, { context, options, archive, users }: Restoration): Promise<RestoreReport> {
  const { dryRun } = options
  return withStoppableProgress(context, { what: 'restoring', stopping: 'this batch' }, (_, signal) =>
    restore(site, archive, { users, dryRun, signal }),
  )
}

/** What they make of a row that comes back, nobody knows. */
async function warnOfTriggers(triggers: readonly Trigger[], talk: Talk): Promise<void> {
  if (triggers.length === 0) return
  const told = triggers.map(({ table, name }) => `${table}: ${name}`).join(', ')
  await talk.say(`warning: triggers may change or add to what is put back: ${told}`)
}

/** In a database that the rows do not come from, somebody who signs up would get an id that is back. */
async function advanceSequences({ db }: Site, tables: readonly Table[], talk: Talk): Promise<void> {
  const left = await db.dialect.advanceSequences(db, tables).catch(() => tables)
  for (const { label } of left) {
    await talk.say(
      `warning: a new row of ${label} may get an id that is back; as the owner of the table, run what manage.py sqlsequencereset prints`,
    )
  }
}

function endOf(report: RestoreReport, shortfall: Shortfall | undefined, archive: string): RunEnd {
  const { skipped, failed, stopped } = report
  const counts = { 'rows put back': rowsPutBack(report), skipped, failed: failed.length }
  const isPart = failed.length > 0 || shortfall !== undefined
  return { outcome: outcomeOf(stopped, isPart), counts, archive }
}

function refuseOther(
  archived: SiteDatabase,
  here: SiteDatabase,
  { anyDatabase }: RestoreCommandOptions,
): void {
  if (archived.kind !== here.kind) {
    throw otherDatabase(archived, here, {
      problem: 'the archive comes from another kind of database',
      hint: ', and each kind writes values in its own way: give the database that it comes from, or a copy',
    })
  }
  if (anyDatabase || isSameDatabase(archived, here)) return
  throw otherDatabase(archived, here, {
    problem: 'the archive comes from another database',
    hint: '; if it is the same, or a copy, add --any-database',
  })
}

function throwUnlessRestored(
  report: RestoreReport,
  shortfall: Shortfall | undefined,
  { dryRun }: RestoreCommandOptions,
): void {
  const { failed, stopped } = report
  const rows = counted(rowsPutBack(report), 'row')
  if (stopped === 'interrupted') {
    throw new Interrupted(
      dryRun
        ? `${rows} to put back until then; nothing has been put back`
        : `${rows} put back; run it again to go on`,
    )
  }
  if (stopped) throw stopped.error
  if (shortfall) {
    const { archived, deleted, run } = shortfall
    throw new UserError(
      `the archive was cut: it holds ${shownNumber(archived)} of ${counted(deleted, 'user')} whom the run ${run} deleted`,
      {
        hint: `look for the whole file, in a backup, and restore that as well${failed.length > 0 ? '; of what the file holds, not everything could be put back: see the report' : ''}`,
      },
    )
  }
  if (failed.length === 0) return
  throw new UserError(
    dryRun ? 'not everything can be put back as before' : 'not everything could be put back as before',
    {
      hint: `the report says what, and why${dryRun ? '' : '; run it again, and it leaves alone what is back'}`,
    },
  )
}
