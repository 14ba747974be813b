import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { archivedUsers } from '../../src/users/archived-users.ts'
import { openArchive, restore } from '../../src/users/restore.ts'
import { addCrowd } from '../support/crowd.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { allRowsOf, createSite, type TestSite } from '../support/sites.ts'

const BIN = fileURLToPath(new URL('../../bin/usermgmt.js', import.meta.url))
const USERS = 2_000
const KILLS = 12
const LONGEST_LIFE_MILLISECONDS = 800

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'usermgmt-kill-'))
})
afterEach(() => rm(directory, { recursive: true }))

function startPurge(site: TestSite) {
  const options = ['--since', '2020-01-01', '--yes', '--max-delete', '100%', '--batch-size', '20']
  const args = [BIN, 'purge', '--database', site.url, ...options, '--archive', directory, '--quiet']
  return spawn(process.execPath, args, { stdio: 'ignore' })
}

/** The newest first: what was deleted later cannot hang on what was deleted before. */
async function archives(): Promise<string[]> {
  const names = (await readdir(directory)).sort((a, b) => stamp(b).localeCompare(stamp(a)))
  return names.map((name) => join(directory, name))
}

function stamp(name: string): string {
  return name.replace(/-[0-9a-f]+\.ndjson\.gz$/, '')
}

async function idsInDatabase(site: TestSite): Promise<Set<string>> {
  const rows = await site.db.rows<{ id: bigint | number }>(sql`select id from auth_user`)
  return new Set(rows.map((row) => String(row.id)))
}

async function idsInArchives(): Promise<Set<string>> {
  const ids = new Set<string>()
  for (const path of await archives()) {
    const archive = await openArchive(path).catch(() => undefined)
    if (!archive) continue // killed before its header was whole: nothing had been deleted yet
    for await (const { id } of archivedUsers(archive)) ids.add(id)
    await archive.reader.close()
  }
  return ids
}

async function restoreAll(site: TestSite): Promise<void> {
  for (const path of await archives()) {
    const archive = await openArchive(path).catch(() => undefined)
    if (!archive) continue
    const { failed } = await restore(site, archive)
    expect(failed).toEqual([])
    await archive.reader.close()
  }
}

async function expectEverybodyWhole(site: TestSite): Promise<void> {
  const here = await idsInDatabase(site)
  const archived = await idsInArchives()
  const lost = Array.from({ length: USERS }, (_, i) => String(i + 1)).filter(
    (id) => !here.has(id) && !archived.has(id),
  )
  expect(lost).toEqual([])
  expect(await site.db.$count(site.tables.emailAddresses)).toBe(here.size)
}

describeEachDatabase('kill -9 during a purge', (harness) => {
  test(`${KILLS} times: everybody is whole in the database or in an archive, and comes back`, async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, USERS)
    const before = await allRowsOf(site.db)
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startPurge(site)
      const ended = once(child, 'close')
      await Promise.race([pause(Math.random() * LONGEST_LIFE_MILLISECONDS), ended])
      child.kill('SIGKILL')
      await ended
      await expectEverybodyWhole(site)
      if ((await site.db.$count(site.tables.users)) < USERS / 4) await restoreAll(site)
    }
    const [exit] = await once(startPurge(site), 'close')
    expect(exit).toBe(0)
    expect(await site.db.$count(site.tables.users)).toBe(0)
    await restoreAll(site)
    expect(await allRowsOf(site.db)).toEqual(before)
  }, 120_000)
})
