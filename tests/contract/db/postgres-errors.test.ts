import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { databaseFault } from '../../../src/db/errors.ts'
import type { Db } from '../../../src/db/port.ts'
import { describeDatabase } from '../../support/databases.ts'
import { errorOf, SECRET, SECRET_TABLES, wordsOf } from '../../support/errors.ts'
import { untilSomebodyWaits } from '../../support/waiting.ts'

describeDatabase('postgres', 'errors', (harness) => {
  test('a session that the server ends', async () => {
    const { db, connect } = await harness.empty()
    const other = await connect()
    const ended = db.transaction('write', async (tx) => {
      const [row] = await tx.rows<{ pid: number }>(sql`select pg_backend_pid() as pid`)
      await other.run(`select pg_terminate_backend(${row?.pid})`)
      await tx.rows(sql`select 1`)
    })
    const error = await errorOf(() => ended)
    expect(databaseFault(error)).toBe('connection')
    expect((await wordsOf(() => Promise.reject(error))).message).toMatch(/was lost|has ended/)
    // The next transaction gets a new session.
    await db.transaction('write', (tx) => tx.rows(sql`select 1`))
  })

  test('a statement that takes too long', async () => {
    const database = await harness.empty()
    const url = `${database.url}?options=-c%20statement_timeout%3D20`
    const db = await database.open({}, url)
    const work = () => db.rows(sql`select pg_sleep(30)`)
    expect((await wordsOf(work)).message).toBe('the server ended a statement that took too long')
    expect(databaseFault(await errorOf(work))).toBe('busy')
  })

  test('a statement that takes longer than the driver waits', async () => {
    const database = await harness.empty()
    const db = await database.open({}, `${database.url}?query_timeout=50`)
    const work = () => db.rows(sql`select pg_sleep(2)`)
    expect((await wordsOf(work)).message).toBe('a statement took longer than query_timeout')
    expect(databaseFault(await errorOf(work))).toBe('connection')
  })

  test('a transaction that does nothing for too long', async () => {
    const database = await harness.empty()
    const db = await database.open({}, `${database.url}?idle_in_transaction_session_timeout=20`)
    const error = await errorOf(() =>
      db.transaction('write', async (tx) => {
        await pause(500)
        await tx.rows(sql`select 1`)
      }),
    )
    expect((await wordsOf(() => Promise.reject(error))).message).toMatch(/was lost$|was idle for too long$/)
    expect(databaseFault(error)).toBe('connection')
  })

  test('a value that its column does not take', async () => {
    const { db } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const work = () => db.run(sql`update author set age = cast(${SECRET} as text)::integer`)
    expect((await wordsOf(work)).message).toBe('a value does not fit the type of its column')
  })

  test('a lock that is not let go', async () => {
    const { db, connect } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const other = await connect()
    await other.run('begin; lock table author')
    const work = () =>
      db.transaction('write', async (tx) => {
        await tx.run(sql`set local lock_timeout = 20`)
        await tx.rows(sql`select 1 from author`)
      })
    expect((await wordsOf(work)).message).toBe('another transaction holds a lock for too long')
  })

  test('a deadlock may be tried again', async () => {
    const { db, connect } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const other = await connect()
    const error = await deadlock(db, other.run)
    expect(databaseFault(error)).toBe('retry')
    expect((await wordsOf(() => Promise.reject(error))).message).toBe('another transaction got in the way')
  })

  test('a role that may not', async () => {
    const database = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const role = `usermgmt_test_reader_${process.pid}`
    await database.run(`drop role if exists ${role}; create role ${role} login password '${SECRET}'`)
    const url = new URL(database.url)
    url.username = role
    url.password = SECRET
    const db = await database.open({}, url.href)
    const { message } = await wordsOf(() => db.rows(sql`select name from author`))
    expect(message).toBe('permission denied for table author')
    await db.close()
    await database.run(`drop role ${role}`)
  })

  test('a database that is read-only', async () => {
    const database = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const url = `${database.url}?options=-c%20default_transaction_read_only%3Don`
    const db = await database.open({}, url)
    const deletion = (on: Db) => on.run(sql`delete from post`)
    for (const work of [() => deletion(db), () => db.transaction('write', deletion)]) {
      expect((await wordsOf(work)).message).toBe('the database is read-only')
    }
  })

  test('the refusal of a trigger', async () => {
    const { db, run } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    await run(`create function refuse() returns trigger language plpgsql as $$
        begin raise exception '${SECRET}'; end $$;
      create trigger no_more before delete on post for each row execute function refuse()`)
    const { message } = await wordsOf(() => db.run(sql`delete from post`))
    expect(message).toBe('a trigger of the database refused it')
  })
})

/** Two transactions, each waiting for the row that the other has; returns the error of ours. */
async function deadlock(db: Db, runOther: (script: string) => Promise<void>): Promise<unknown> {
  await runOther(`insert into author (name) values ('b')`)
  await runOther(`set deadlock_timeout = '1h'; begin; update author set age = 1 where name = 'b'`)
  const ours = db.transaction('write', async (tx) => {
    await tx.run(sql`set local deadlock_timeout = '50ms'`)
    await tx.run(sql`update author set age = 2 where id = 1`)
    const theirs = runOther('update author set age = 1 where id = 1; commit')
    // Ours looks for a deadlock once: theirs has to wait by then.
    await untilSomebodyWaits(db, 'lock')
    const error: unknown = await tx
      .run(sql`update author set age = 2 where name = 'b'`)
      .catch((caught: unknown) => caught)
    await tx.run(sql`rollback`)
    await theirs
    throw error
  })
  return ours.catch((caught: unknown) => caught)
}
