import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { databaseFault, TransactionEnded } from '../../../src/db/errors.ts'
import { inSavepoint } from '../../../src/db/savepoint.ts'
import { describeDatabase } from '../../support/databases.ts'

describeDatabase('sqlite', 'a transaction that SQLite ends by itself', (harness) => {
  test('for want of room: the savepoint within tells of it', async () => {
    const { db } = await harness.empty()
    await db.run(sql`create table large (bytes blob)`)
    await db.rows(sql`pragma max_page_count = 4`)
    const insert = () => db.run(sql`insert into large (bytes) values (zeroblob(100000))`)
    const failed = db.transaction('write', (tx) => inSavepoint(tx, insert))
    expect(databaseFault(await failed.catch((error: unknown) => error))).toBe('storage')
  })

  test('for a row that it refuses: nothing goes on', async () => {
    const { db } = await harness.empty()
    await db.run(sql`create table counted (n integer unique on conflict rollback)`)
    await db.run(sql`insert into counted (n) values (1)`)
    const insert = () => db.run(sql`insert into counted (n) values (1)`)
    const failed = db.transaction('write', async (tx) => {
      await expect(inSavepoint(tx, insert)).rejects.toThrow(TransactionEnded)
      await tx.run(sql`insert into counted (n) values (2)`)
    })
    await expect(failed).rejects.toThrow(TransactionEnded)
    expect(await db.rows(sql`select n from counted`)).toEqual([{ n: 1n }])
    await db.run(sql`insert into counted (n) values (3)`)
  })
})
