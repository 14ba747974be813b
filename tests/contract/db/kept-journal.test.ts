import { existsSync, statSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import type { Db } from '../../../src/db/port.ts'
import { describeDatabase, type RawConnection } from '../../support/databases.ts'

const isThere = (db: Db) => existsSync(`${db.identity}-journal`)

async function write(db: Db): Promise<void> {
  await db.transaction('write', (tx) => tx.run(sql`insert into counted (n) values (1)`))
}

async function counted(site: RawConnection): Promise<number> {
  const [row] = await site.rows<{ count: bigint }>('select count(*) as count from counted')
  return Number(row?.count)
}

describeDatabase('sqlite', 'the rollback journal', (harness) => {
  test('stays while there are many transactions, in nobody’s way, and goes with the last', async () => {
    const { db, run, connect } = await harness.empty()
    await run('create table counted (n integer)')
    const site = await connect()
    await write(db)
    expect(isThere(db)).toBe(false)
    await db.throughManyWrites(async () => {
      await write(db)
      expect(isThere(db)).toBe(true)
      expect(statSync(`${db.identity}-journal`).size).toBeGreaterThan(0)
      expect(await counted(site)).toBe(2)
      await site.run('insert into counted (n) values (2)')
      await write(db)
      await expect(db.transaction('write', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
      expect(await counted(site)).toBe(4)
    })
    expect(isThere(db)).toBe(false)
    expect(await counted(site)).toBe(4)
  })

  test('goes also when the work fails', async () => {
    const { db, run } = await harness.empty()
    await run('create table counted (n integer)')
    const failed = db.throughManyWrites(async () => {
      await write(db)
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(isThere(db)).toBe(false)
  })

  test('a database that goes over to WAL meanwhile stays there', async () => {
    const { db, run, connect } = await harness.empty()
    await run('create table counted (n integer)')
    await db.throughManyWrites(async () => {
      await write(db)
      await run('pragma journal_mode = wal')
      await write(db)
    })
    const [mode] = await (await connect()).rows('pragma journal_mode')
    expect(mode).toEqual({ journal_mode: 'wal' })
  })

  test('a database in WAL mode stays in it', async () => {
    const { db, run, connect } = await harness.empty()
    await run('create table counted (n integer)')
    await run('pragma journal_mode = wal')
    await db.throughManyWrites(() => write(db))
    expect(isThere(db)).toBe(false)
    const [mode] = await (await connect()).rows('pragma journal_mode')
    expect(mode).toEqual({ journal_mode: 'wal' })
  })
})
