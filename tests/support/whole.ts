import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect } from 'vitest'
import type { ArchiveHeader } from '../../src/users/archive/header.ts'
import type { ArchiveLine } from '../../src/users/archive/lines.ts'
import { openArchive } from '../../src/users/archive/open-archive.ts'
import { ArchiveReader } from '../../src/users/archive/reader.ts'
import { restore } from '../../src/users/restore/restore.ts'
import { CROWD_PARTS } from './crowd.ts'
import { allRowsOf, type TestSite } from './sites.ts'

const PARTS = Object.entries(CROWD_PARTS)

/** How many parts of a user there are, by id. */
type Parts = Map<string, number>

/**
 * Expects that each of so many users of a `crowdedSite` is whole in the database or whole in an archive of the directory,
 * and that nobody is there in part. Returns how many are in the database.
 */
export async function expectEverybodyWhole(
  site: TestSite,
  { users, directory, when }: { users: number; directory: string; when?: string },
): Promise<number> {
  // First: who is deleted after this has been archived before.
  const here = await partsInDatabase(site)
  const archived = await partsInArchives(directory)
  expect(inPart(here), `in the database in part ${when}`).toEqual([])
  expect(inPart(archived), `in an archive in part ${when}`).toEqual([])
  const everybody = Array.from({ length: users }, (_, i) => String(i + 1))
  expect(
    everybody.filter((id) => !here.has(id) && !archived.has(id)),
    `neither here nor there ${when}`,
  ).toEqual([])
  return here.size
}

function inPart(parts: Parts): [string, number][] {
  return [...parts].filter(([, found]) => found !== PARTS.length)
}

async function partsInDatabase(site: TestSite): Promise<Parts> {
  const parts = PARTS.map(
    ([table, owner]) => `select ${owner} as id from ${table} where ${owner} is not null`,
  )
  const rows = await site.db.rows<{ id: unknown; found: unknown }>(
    sql.raw(`select id, count(*) as found from (${parts.join(' union all ')}) part group by id`),
  )
  return new Map(rows.map(({ id, found }) => [String(id), Number(found)]))
}

async function partsInArchives(directory: string): Promise<Parts> {
  const parts: Parts = new Map()
  for (const path of await archivesIn(directory)) {
    const reader = await ArchiveReader.open(path)
    // A batch that was not committed is archived again by the next run: what counts is that one of them is whole.
    for (let batch = 1; batch < reader.count; batch++) {
      for (const [id, found] of await partsInBatch(reader, batch)) {
        parts.set(id, Math.max(found, parts.get(id) ?? 0))
      }
    }
    await reader.close()
  }
  return parts
}

async function partsInBatch(reader: ArchiveReader, batch: number): Promise<Parts> {
  const [first = ''] = (await reader.lines(0)) ?? []
  const { tables } = JSON.parse(first) as ArchiveHeader
  const parts: Parts = new Map()
  for (const text of (await reader.lines(batch)) ?? []) {
    const id = ownerOf(JSON.parse(text) as ArchiveLine, tables)
    parts.set(id, (parts.get(id) ?? 0) + 1)
  }
  return parts
}

function ownerOf(line: ArchiveLine, tables: ArchiveHeader['tables']): string {
  const table = tables['d' in line ? line.d : line.n]
  const owner = CROWD_PARTS[table?.name ?? ''] ?? ''
  return String('d' in line ? line.row[table?.columns.indexOf(owner) ?? -1] : line.was[owner])
}

/** Returns the archives of the directory, the newest first: what was deleted later cannot hang on what was deleted before. */
export async function archivesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names.sort((a, b) => stamp(b).localeCompare(stamp(a))).map((name) => join(directory, name))
}

function stamp(name: string): string {
  return name.replace(/-[0-9a-f]+\.ndjson\.gz$/, '')
}

/** Puts back what is in the archives of the directory. Expects that all of it can be. */
export async function restoreAll(site: TestSite, directory: string): Promise<void> {
  for (const path of await archivesIn(directory)) {
    const archive = await openArchive(path).catch(() => undefined)
    if (!archive) continue // ended before its header was whole: nothing had been deleted yet
    const { failed, stopped } = await restore(site, archive)
    expect({ failed, stopped }).toEqual({ failed: [], stopped: undefined })
    await archive.reader.close()
  }
}

/** Returns the rows of all tables of the site, without those of the ledger. */
export async function siteRowsOf({ db }: TestSite) {
  const all = Object.entries(await allRowsOf(db))
  return Object.fromEntries(all.filter(([table]) => !table.startsWith('usermgmt_')))
}
