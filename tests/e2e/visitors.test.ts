import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type SQL, sql } from 'drizzle-orm'
import { beforeEach, expect, test, vi } from 'vitest'
import { startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import type { TestSite } from '../support/sites.ts'
import { expectEverybodyWhole } from '../support/whole.ts'

const VISITOR = fileURLToPath(new URL('../support/visitor.mjs', import.meta.url))
const USERS = 100_000
const VISITORS = 3
const VISITORS_PATIENCE = { timeout: 60_000 }
const LOOK_MILLISECONDS = 50
const LONGEST_HOLD_SECONDS = 1

interface Deed {
  readonly deed: 'verify' | 'login' | 'post' | 'signUp'
  readonly user: number
  /** There was somebody to do it to, and it has been committed. */
  readonly done?: boolean
  readonly error?: string
}

const KINDS = ['verify', 'login', 'post'] as const

/**
 * Lets visitors come from before the work until after it: it begins when each kind of deed has been done, and they
 * leave when each has come too late. Returns what came of the work, what they did, and how much they got done meanwhile.
 */
async function withVisitors<T>(site: TestSite, work: () => Promise<T>) {
  const deeds: Deed[] = []
  const visitors = Array.from({ length: VISITORS }, () => {
    const child = spawn(process.execPath, [VISITOR, site.url, String(USERS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    createInterface(child.stdout).on('line', (line) => deeds.push(JSON.parse(line)))
    return { child, ended: once(child, 'close') }
  })
  const everyKindWas = (done: boolean) =>
    vi.waitUntil(() => KINDS.every((kind) => met(deeds, kind, done).length > 0), VISITORS_PATIENCE)
  let result: T
  let meanwhile: number
  try {
    await everyKindWas(true)
    const before = deeds.length
    result = await work()
    meanwhile = deeds.slice(before).filter(({ done }) => done).length
    await everyKindWas(false)
  } finally {
    for (const { child } of visitors) child.stdin.end()
  }
  for (const { ended } of visitors) expect(await ended).toEqual([0, null])
  return { result, deeds, meanwhile }
}

/** Returns what was done of a kind, or what came too late. */
function met(deeds: readonly Deed[], kind: Deed['deed'], done: boolean): Deed[] {
  return deeds.filter((each) => each.deed === kind && each.done === done)
}

/** Returns the longest that a transaction of usermgmt has been seen to hold what it has written, in seconds. */
async function longestHold(site: TestSite, until: Promise<unknown>): Promise<number> {
  let longest = 0
  let isOver = false
  const over = until.finally(() => {
    isOver = true
  })
  while (!isOver) {
    const [row] = await site.db.rows<{ seconds: number | null }>(sql`
      select max(extract(epoch from clock_timestamp() - xact_start))::float8 as seconds from pg_stat_activity
      where application_name = 'usermgmt' and backend_xid is not null and datname = current_database()`)
    longest = Math.max(longest, row?.seconds ?? 0)
    await pause(LOOK_MILLISECONDS)
  }
  await over
  return longest
}

/** Returns to whom one of these was done. */
function usersOf(deeds: readonly Deed[], ...wanted: Deed['deed'][]): number[] {
  const users = deeds.filter(({ deed, done }) => done && wanted.includes(deed)).map(({ user }) => user)
  return [...new Set(users)].sort((a, b) => a - b)
}

async function numbers(site: TestSite, query: SQL): Promise<number[]> {
  const rows = await site.db.rows<Record<string, unknown>>(query)
  return rows.map((row) => Number(Object.values(row)[0])).sort((a, b) => a - b)
}

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

describeEachDatabase('while a hundred thousand users are purged', (harness) => {
  test('nobody who does something first is deleted, and nobody is held back', async () => {
    const site = await crowdedSite(harness, USERS)
    await site.database.run(`
      create table forum_topic (id {key},
        author_id integer not null references auth_user (id) deferrable initially deferred);
      create index forum_topic_author_id on forum_topic (author_id)`)
    if (harness.kind === 'postgres') {
      await site.database.run(`select setval(pg_get_serial_sequence('auth_user', 'id'), ${USERS})`)
    }
    const purge = crowdPurge(site.url, directory, '--format', 'json', '--quiet')
    const { result, deeds, meanwhile } = await withVisitors(site, async () => {
      const command = startCommand(purge)
      const held = harness.kind === 'postgres' ? longestHold(site, command.ended) : Promise.resolve(0)
      return { ended: await command.ended, hold: await held }
    })
    const { ended, hold } = result
    expect(ended).toMatchObject({ exit: 0, stderr: '' })
    expect(deeds.filter(({ error }) => error !== undefined)).toEqual([])
    expect(meanwhile).toBeGreaterThan(0)

    const survivors = usersOf(deeds, ...KINDS)
    expect(await numbers(site, sql`select id from auth_user where id <= ${USERS}`)).toEqual(survivors)
    expect(await site.db.$count(site.tables.users)).toBe(survivors.length + met(deeds, 'signUp', true).length)
    const { deleted, failed } = JSON.parse(ended.stdout)
    expect({ deleted, failed }).toEqual({ deleted: USERS - survivors.length, failed: [] })
    expect(await numbers(site, sql`select user_id from account_emailaddress where verified`)).toEqual(
      usersOf(deeds, 'verify'),
    )
    expect(await numbers(site, sql`select id from auth_user where last_login is not null`)).toEqual(
      usersOf(deeds, 'login'),
    )
    expect(await numbers(site, sql`select distinct author_id from forum_topic`)).toEqual(
      usersOf(deeds, 'post'),
    )
    expect(hold).toBeLessThan(LONGEST_HOLD_SECONDS)

    await site.database.run(`delete from account_emailaddress where user_id > ${USERS};
      delete from auth_user where id > ${USERS}`)
    expect(await expectEverybodyWhole(site, { users: USERS, directory })).toBe(survivors.length)
  })
})
