import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import type { Db } from '../../../src/db/port.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeDatabase } from '../../support/databases.ts'
import { createSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

describeDatabase('postgres', 'settings of the server', (harness) => {
  /** Opens a site with so many candidates, whose database says how its sessions begin. */
  async function siteWith(settings: Readonly<Record<string, string>>, users = 0) {
    const site = await createSite(harness, 'django5.2-allauth65')
    if (users > 0) await addCrowd(site, users)
    const name = new URL(site.url).pathname.slice(1)
    for (const [setting, value] of Object.entries(settings)) {
      await site.database.run(`alter database ${name} set ${setting} = '${value}'`)
    }
    return { ...site, db: await site.database.open() }
  }

  const lastLogin = '2020-01-01T00:00:00.123456Z'

  test.each(['Asia/Kathmandu', 'America/St_Johns', 'Europe/Berlin'])('time zone %s', async (timezone) => {
    const site = await siteWith({ timezone })
    await addUser(site, { lastLogin })
    const { users } = site.tables
    expect(await site.db.select().from(users)).toMatchObject([{ last_login: lastLogin }])
    await site.db.transaction('read', async (tx) => {
      expect(await tx.select().from(users)).toMatchObject([{ last_login: lastLogin }])
    })
  })

  const STYLES = {
    timezone: 'Asia/Tokyo',
    datestyle: 'German, DMY',
    intervalstyle: 'iso_8601',
    bytea_output: 'escape',
    extra_float_digits: '0',
  }

  test.each<[string, <T>(db: Db, work: (db: Db) => Promise<T>) => Promise<T>]>([
    ['a transaction', (db, work) => db.transaction('write', work)],
    ['a statement outside one', (db, work) => work(db)],
  ])('%s prints values the same everywhere', async (_, within) => {
    const site = await siteWith(STYLES)
    await addUser(site, { lastLogin })
    const [row] = await within(site.db, async (db) => {
      expect(await db.select().from(site.tables.users)).toMatchObject([{ last_login: lastLogin }])
      return db.rows(sql`select (interval '1 day 02:00')::text as i, '\\x00'::bytea::text as b,
        (0.1::float8 + 0.2::float8)::text as f, current_setting('TimeZone') as z`)
    })
    expect(row).toEqual({ i: '1 day 02:00:00', b: '\\x00', f: '0.30000000000000004', z: 'UTC' })
  })

  test('a statement outside a transaction is committed, and one that fails is over', async () => {
    const site = await siteWith(STYLES)
    await addUser(site, { lastLogin })
    const { db, database, tables } = site
    await expect(db.rows(sql`select 1 / 0`)).rejects.toThrow()
    expect(await db.changes(sql`update ${tables.users} set last_login = null`)).toBe(1)
    expect(await database.db.select().from(tables.users)).toMatchObject([{ last_login: null }])
  })

  test.each([
    ['lock_timeout', '0', 'waitBriefly', '500ms'],
    ['lock_timeout', '3s', 'waitBriefly', '3s'],
    ['work_mem', '4MB', 'workInMemory', '32MB'],
    ['work_mem', '1GB', 'workInMemory', '1GB'],
  ] as const)('%s %s: who asks to %s has %s', async (setting, given, ask, expected) => {
    const { db } = await siteWith({ [setting]: given })
    const [row] = await db.transaction('write', async (tx) => {
      await tx.dialect[ask](tx)
      return tx.rows(sql`select current_setting(${setting}) as value`)
    })
    expect(row).toEqual({ value: expected })
  })

  test('a plan puts nothing on the disk that its memory can hold', async () => {
    const site = await siteWith({ work_mem: '64kB', temp_file_limit: '0' }, 5_000)
    const sorted = sql`select string_agg(username, ',' order by username) from ${site.tables.users}`
    await expect(site.db.rows(sorted)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('temp_file_limit') },
    })
    expect(await planPurge(site, criteria(), { batchSize: 1_000 })).toMatchObject({ toDelete: 5_000 })
  })

  test('and leaves the session as it was, for whoever a pooler gives it to next', async () => {
    const site = await siteWith({ timezone: 'Asia/Tokyo' })
    await site.db.rows(sql`select 1`)
    const rows = await site.db.transaction('read', async (tx) => {
      await tx.run(sql`commit`)
      return tx.rows(sql`select current_setting('TimeZone') as z`)
    })
    expect(rows).toEqual([{ z: 'Asia/Tokyo' }])
  })
})
