import { hostname, userInfo } from 'node:os'
import { LedgerRun, type RunEnd } from '../ledger/run.ts'
import { packageVersion } from '../package-root.ts'
import type { Site } from '../site/site.ts'
import type { CommandContext } from './command-context.ts'
import type { Context } from './context.ts'
import { recordedOptions } from './recorded-options.ts'

export interface RunRequest {
  readonly command: string
  /** As given. */
  readonly options: object
  /** Only one run at a time has it. */
  readonly lock?: string
}

/**
 * Runs work that changes the site, and records it in the ledger when there is one: who, where, how, how it ended.
 * Throws a UserError (refused) when another run has the lock.
 */
export async function withRun<T>(
  context: CommandContext,
  { db, shape }: Site,
  { command, options, lock }: RunRequest,
  work: (run: LedgerRun | undefined) => Promise<T>,
  endOf: (result: T) => RunEnd,
): Promise<T> {
  const { talk } = context
  if (!shape.hasLedger) {
    // Whoever deletes should know it; everything else leaves traces that last.
    if (lock !== undefined) {
      await talk.say(
        `no ledger: this ${command} will not be in the history (usermgmt migrate makes the tables)`,
      )
    }
    return work(undefined)
  }
  const facts = {
    command,
    options: recordedOptions(options),
    actor: actorFrom(context.env),
    host: hostname(),
    version: packageVersion(),
  }
  const run = await LedgerRun.begin(db, facts, { lock, now: context.now })
  try {
    const result = await work(run)
    // What has been done is done, whether or not it can be written down.
    await run.end(endOf(result)).catch(() => talk.say('warning: the end of this run could not be recorded'))
    return result
  } catch (error) {
    await run.end({ outcome: 'failed', counts: {} }).catch(() => {})
    throw error
  }
}

/** The person, with sudo as well. */
function actorFrom(env: Context['env']): string {
  if (env.SUDO_USER) return env.SUDO_USER
  try {
    return userInfo().username
  } catch {
    // A container's user may have no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
