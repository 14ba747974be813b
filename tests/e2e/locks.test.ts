import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { runCommand, startCommand } from '../support/command.ts'
import { crowdedSite, crowdPurge } from '../support/crowd.ts'
import { describeOwnServer, type RawConnection } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import type { TestSite } from '../support/sites.ts'
import { expectEverybodyWhole, restoreAll, siteRowsOf } from '../support/whole.ts'

const USERS = 100

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** The URL of the site whose sessions begin with these settings. */
function withSettings(site: TestSite, settings: string): string {
  return `${site.url}?options=${encodeURIComponent(settings)}`
}

function purge(url: string, batchSize: number): string[] {
  return crowdPurge(url, directory, '--batch-size', String(batchSize), '--format', 'json')
}

async function waitUntilSomebodyWaits(connection: RawConnection, sessions = 1): Promise<void> {
  while ((await connection.rows('select 1 from pg_locks where not granted')).length < sessions) await pause(5)
}

/** Makes the deletion of the last user fail like this, the first so many times it is tried. */
async function failingAtFirst(site: TestSite, times: number, sqlstate: string): Promise<void> {
  await site.database.run(`
    create sequence attempt;
    create function refuse() returns trigger language plpgsql as $$ begin
      if nextval('attempt') <= ${times} then raise exception 'not now' using errcode = '${sqlstate}'; end if;
      return old;
    end $$;
    create trigger refuse before delete on auth_user for each row when (old.id = ${USERS}) execute function refuse()`)
}

async function attempts(site: TestSite): Promise<number> {
  const connection = await site.database.connect()
  const [row] = await connection.rows<{ last_value: string }>('select last_value from attempt')
  return Number(row?.last_value)
}

async function deadlocksIn(site: TestSite): Promise<number> {
  const connection = await site.database.connect()
  const [row] = await connection.rows<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  )
  return Number(row?.deadlocks)
}

describeOwnServer('a purge that somebody is in the way of', (harness) => {
  test.each(['40001', '40P01'])('%s: the batch is tried again, up to five times', async (sqlstate) => {
    const site = await crowdedSite(harness, USERS)
    const before = await siteRowsOf(site)
    await failingAtFirst(site, 4, sqlstate)
    const { exit, stdout } = await runCommand(purge(site.url, 10))
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: USERS, failed: [] })
    expect(await attempts(site)).toBe(5)
    await restoreAll(site, directory)
    expect(await siteRowsOf(site)).toEqual(before)
  })

  test.each(['40001', '40P01'])(
    '%s without end: the others go, and the report says who stays',
    async (sqlstate) => {
      const site = await crowdedSite(harness, USERS)
      await failingAtFirst(site, 1_000, sqlstate)
      const { exit, stdout, stderr } = await runCommand(purge(site.url, 1))
      expect(exit).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({
        deleted: USERS - 1,
        failed: [{ id: String(USERS), reason: 'another transaction got in the way' }],
      })
      expect(stderr).toMatch(/\nusermgmt: 1 user could not be deleted; .+\n$/)
      expect(await attempts(site)).toBe(5)
      expect(await expectEverybodyWhole(site, { users: USERS, directory })).toBe(1)
    },
  )

  test('locks that cross: the purge gives way to the site, and tries again', async () => {
    const site = await crowdedSite(harness, USERS)
    // What a view does that changes the address first, and then the user whom the purge has locked first.
    const writer = await site.database.connect()
    await writer.run('begin; update account_emailaddress set email = lower(email) where user_id = 7')
    const { ended } = startCommand(purge(site.url, USERS))
    await waitUntilSomebodyWaits(writer)
    await writer.run(`update auth_user set first_name = 'Ann' where id = 7; commit`)
    const { exit, stdout } = await ended
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: USERS, failed: [] })
    expect(await deadlocksIn(site)).toBe(0)
  })

  test('a real deadlock, which the server ends: the purge tries again', async () => {
    const site = await crowdedSite(harness, USERS)
    // Patient with locks, and the one of the two whom the server asks to look for a deadlock.
    const patient = withSettings(site, '-c lock_timeout=1min -c deadlock_timeout=100ms')
    const writer = await site.database.connect()
    await writer.run(`set deadlock_timeout = '1min'; begin;
      update account_emailaddress set email = lower(email) where user_id = 7`)
    // It has locked the users before this one, not yet their addresses, until the site waits for it.
    const gate = await site.database.connect()
    await gate.run('begin; select 1 from auth_user where id = 8 for update')
    const { ended } = startCommand(purge(patient, USERS))
    await waitUntilSomebodyWaits(gate)
    const written = writer.run(`update auth_user set first_name = 'Ann' where id = 7; commit`)
    await waitUntilSomebodyWaits(gate, 2)
    await gate.run('rollback')
    const { exit, stdout } = await ended
    await written
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: USERS, failed: [] })
    // The server counts a moment later.
    await expect.poll(() => deadlocksIn(site), { timeout: 30_000 }).toBe(1)
  })

  test('serializable by default: the site and the purge both get on', async () => {
    const site = await crowdedSite(harness, USERS)
    const url = withSettings(site, '-c default_transaction_isolation=serializable')
    const writer = await site.database.connect()
    await writer.run(`begin isolation level serializable; select count(*) from auth_user;
      update auth_user set last_login = '2025-01-01' where id = 7`)
    const { ended } = startCommand(purge(url, 10))
    await waitUntilSomebodyWaits(writer)
    await writer.run('commit')
    const { exit, stdout } = await ended
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: USERS - 1, changed: 1, failed: [] })
  })

  test.each([
    ['', 'another transaction holds a lock for too long'],
    ['-c lock_timeout=200ms', 'another transaction holds a lock for too long'],
    ['-c statement_timeout=1s -c lock_timeout=1min', 'the server ended a statement that took too long'],
  ])('a row held for good (%s): the others go, and the report says who stays', async (settings, reason) => {
    const site = await crowdedSite(harness, USERS)
    const holder = await site.database.connect()
    await holder.run('begin; select 1 from auth_user where id = 7 for update')
    const { exit, stdout, stderr } = await runCommand(purge(withSettings(site, settings), 4))
    expect(exit).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: USERS - 1, failed: [{ id: '7', reason }] })
    expect(stderr).toMatch(/\nusermgmt: 1 user could not be deleted; .+\n$/)
    expect(await expectEverybodyWhole(site, { users: USERS, directory })).toBe(1)
    await holder.run('rollback')
    expect((await runCommand(purge(site.url, 4))).exit).toBe(0)
  })
})
