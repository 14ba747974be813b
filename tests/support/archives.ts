import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { RuleSettings } from '../../src/site/rules.ts'
import { openArchive } from '../../src/users/archive/open-archive.ts'
import { ArchiveWriter } from '../../src/users/archive/writer.ts'
import type { Criteria, GuardSettings } from '../../src/users/criteria.ts'
import { type PurgePlan, planPurge } from '../../src/users/purge/plan.ts'
import type { PurgeOptions } from '../../src/users/purge/purge.ts'
import { purgeArchived } from '../../src/users/purge/purge-archived.ts'
import type { PurgeReport } from '../../src/users/purge/purge-report.ts'
import { type RestoreOptions, restore } from '../../src/users/restore/restore.ts'
import { criteria } from './criteria.ts'
import type { TestSite } from './sites.ts'

/** Writes an archive of that time, without a proper header; `ended`: with the record that a purge writes last. */
export async function writeArchive(path: string, time: Date, { ended = false } = {}): Promise<void> {
  const writer = await ArchiveWriter.create(path)
  for (const batch of [writer.batch(), ...(ended ? [writer.endBatch()] : [])]) {
    batch.add('{}')
    await batch.save()
  }
  await writer.close()
  await utimes(path, time, time)
}

/** Of a batch's beginning: the length that it says it has. */
export const LENGTH_AT = 16

export interface PurgeInto extends Pick<PurgeOptions, 'jobs' | 'signal' | 'onProgress'> {
  readonly rules?: RuleSettings
  readonly guards?: GuardSettings
  /** Users in a batch. */
  readonly size?: number
  /** After the plan was made. */
  readonly meanwhile?: () => Promise<unknown>
}

/** Purges all candidates into an archive in the directory. */
export async function purgeInto(
  directory: string,
  site: TestSite,
  { rules = {}, guards = {}, size = 2, meanwhile, ...options }: PurgeInto = {},
): Promise<{ path: string; report: PurgeReport }> {
  const all = criteria({ rules, guards })
  const plan = await planPurge(site, all, { batchSize: size })
  await meanwhile?.()
  const { path = '', report } = await purgePlanned(join(directory, 'archive'), site, all, plan, options)
  return { path, report }
}

/** Purges whom the plan holds into an archive in the directory; no path: there was nothing to archive. */
export async function purgePlanned(
  directory: string,
  site: TestSite,
  all: Criteria,
  plan: PurgePlan,
  options: Omit<PurgeOptions, 'archive'> = {},
): Promise<{ path: string | undefined; report: PurgeReport }> {
  const into = { directory, version: '0.0.0', now: new Date('2026-06-01T12:00:00Z') }
  const { archive, lostArchive, ...report } = await purgeArchived(site, all, plan, { ...options, ...into })
  return { path: archive ?? lostArchive, report }
}

/** Puts back what the archive holds. Throws the error that stopped it. */
export async function putBack(site: TestSite, path: string, options?: RestoreOptions) {
  const archive = await openArchive(path)
  const report = await restore(site, archive, options).finally(() => archive.reader.close())
  if (report.stopped && report.stopped !== 'interrupted') throw report.stopped.error
  return report
}

/** Returns where each batch begins: the header first, and last the one that ends the archive. */
export async function startsIn(path: string): Promise<number[]> {
  const content = await readFile(path)
  const starts = []
  for (let at = 0; at < content.length; at += content.readUInt32LE(at + LENGTH_AT)) starts.push(at)
  return starts
}
