import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Db } from '../../db/port.ts'
import { invalid } from '../../errors.ts'
import { deletionsOf, findRun, listRuns, type RecordedRun, remindersOf } from '../../ledger/history.ts'
import { refuseWithoutLedger, type Site } from '../../site/site.ts'
import type { CommandContext } from '../command-context.ts'
import type { HistoryOptions } from '../commands/history.ts'
import { HISTORY_RUNS } from '../defaults.ts'
import { styleFor } from '../paint.ts'
import { deletionRecord, reminderRecord, runRecord, runsTable, runText } from '../render/history.ts'
import { plainJson } from '../render/plain-text.ts'
import { withSite } from '../with-site.ts'
import { writeAll } from '../write-all.ts'

/** Prints the runs of the ledger, or all about one. */
export async function showHistory(
  context: CommandContext,
  run: string | undefined,
  options: HistoryOptions,
): Promise<void> {
  if (run !== undefined && (options.limit !== undefined || options.email !== undefined)) {
    throw invalid('--limit and --email choose among the runs: they do not go with the id of one')
  }
  await withSite(context, async (site) => {
    refuseWithoutLedger(site, 'no run has been recorded', 'runs are recorded from then on')
    await (run === undefined ? showRuns(site.db, context, options) : showRun(site, run, context, options))
  })
}

async function showRuns(
  db: Db,
  context: CommandContext,
  { format, limit = HISTORY_RUNS, email }: HistoryOptions,
): Promise<void> {
  const { stdout } = context
  const runs = await listRuns(db, { limit, email })
  if (format === 'json') return stdout.write(`${plainJson(runs.map(runRecord))}\n`)
  if (format === 'ndjson') return stdout.write(runs.map((run) => `${plainJson(runRecord(run))}\n`).join(''))
  if (runs.length > 0) return stdout.write(runsTable(runs, stdout, await styleFor(stdout, context)))
  await context.talk.say(
    email === undefined
      ? 'no run has been recorded yet'
      : 'no run has deleted a user with this primary address',
  )
}

async function showRun(
  site: Site,
  id: string,
  context: CommandContext,
  { format }: HistoryOptions,
): Promise<void> {
  const { stdout } = context
  const run = await findRun(site.db, id)
  if (format === 'text') {
    return stdout.write(runText(run, hasGone(run), await styleFor(stdout, context)))
  }
  if (format === 'json') return stdout.write(`${plainJson(runRecord(run))}\n`)
  await writeAll(stdout, peopleOf(site, run.id))
}

/** Of an archive on another machine, or where this user may not look, nobody knows. */
function hasGone({ archive, host }: RecordedRun): boolean {
  if (archive === null || host !== hostname()) return false
  try {
    return statSync(archive, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

/** Yields whom the run has deleted or reminded, each as a line. */
async function* peopleOf(site: Site, runId: string): AsyncGenerator<string> {
  for await (const deletion of deletionsOf(site, runId)) yield `${plainJson(deletionRecord(deletion))}\n`
  for await (const reminder of remindersOf(site, runId)) yield `${plainJson(reminderRecord(reminder))}\n`
}
