import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { databaseFault } from '../../../src/db/errors.ts'
import type { Db } from '../../../src/db/port.ts'
import { describeDatabase, describeEachDatabase, type Harness } from '../../support/databases.ts'
import { rowsOf } from '../../support/sites.ts'
import { untilSomebodyWaits } from '../../support/waiting.ts'

const TABLES = `create table author (id {key}, name varchar(40) not null);
  create table post (id {key}, author_id integer references author (id) deferrable initially deferred);
  insert into author (name) values ('first')`

const openAuthors = (harness: Harness) => harness.prepared('authors', (empty) => empty.run(TABLES))

const add = (db: Db, name: string) => db.run(sql`insert into author (name) values (${name})`)

async function namesIn(db: Db): Promise<unknown[]> {
  return (await rowsOf(db, 'author')).map((row) => row.name)
}

describeEachDatabase('a transaction', (harness) => {
  test('commits what the work did, and returns what it returned', async () => {
    const { db } = await openAuthors(harness)
    const result = await db.transaction('write', async (tx) => {
      await add(tx, 'second')
      return 42
    })
    expect(result).toBe(42)
    expect(await namesIn(db)).toEqual(['first', 'second'])
  })

  test('rolls back when the work throws, after an await as well, and passes the error on', async () => {
    const { db } = await openAuthors(harness)
    const work = db.transaction('write', async (tx) => {
      await add(tx, 'second')
      await new Promise((resolve) => setTimeout(resolve, 5))
      await add(tx, 'third')
      throw new Error('changed my mind')
    })
    await expect(work).rejects.toThrow('changed my mind')
    expect(await namesIn(db)).toEqual(['first'])
    await db.transaction('write', (tx) => add(tx, 'later'))
    expect(await namesIn(db)).toEqual(['first', 'later'])
  })

  test('does not nest, and the outer one survives the attempt', async () => {
    const { db } = await openAuthors(harness)
    await db.transaction('write', async (tx) => {
      await add(tx, 'second')
      await expect(tx.transaction('write', (inner) => add(inner, 'third'))).rejects.toThrow()
    })
    expect(await namesIn(db)).toEqual(['first', 'second'])
  })

  test('is not seen by others before it commits', async () => {
    const { db, connect } = await openAuthors(harness)
    const other = await connect()
    await db.transaction('write', async (tx) => {
      await add(tx, 'second')
      expect(await other.rows('select name from author')).toHaveLength(1)
    })
    expect(await other.rows('select name from author')).toHaveLength(2)
  })

  test('fails as a whole when a deferred foreign key is broken at its end', async () => {
    const { db } = await openAuthors(harness)
    const work = db.transaction('write', async (tx) => {
      await add(tx, 'second')
      await tx.run(sql`insert into post (author_id) values (99)`)
    })
    const error: unknown = await work.catch((caught: unknown) => caught)
    expect(databaseFault(error)).toBe('constraint')
    expect(await namesIn(db)).toEqual(['first'])
    expect(await rowsOf(db, 'post')).toEqual([])
  })

  test('checkForeignKeys accepts a transaction that is whole again', async () => {
    const { db } = await openAuthors(harness)
    await db.transaction('write', async (tx) => {
      await tx.run(sql`insert into post (author_id) values (2)`)
      await add(tx, 'second')
      await tx.dialect.checkForeignKeys(tx)
    })
    expect(await rowsOf(db, 'post')).toEqual([{ id: '1', author_id: '2' }])
  })

  test('a failed statement leaves nothing half done, even when the work swallows the error', async () => {
    const { db } = await openAuthors(harness)
    const work = db.transaction('write', async (tx) => {
      await add(tx, 'second')
      await tx.run(sql`insert into author (id, name) values (1, 'again')`).catch(() => {})
    })
    // PostgreSQL gives up the whole transaction there, SQLite only the statement.
    const ended = await work.then(
      () => 'committed',
      () => 'rolled back',
    )
    expect(ended).toBe(harness.pick({ sqlite: 'committed', postgres: 'rolled back' }))
    expect(await namesIn(db)).toEqual(ended === 'committed' ? ['first', 'second'] : ['first'])
  })
})

describeEachDatabase('a read transaction', (harness) => {
  test('refuses to write, and the database can be written afterwards', async () => {
    const { db } = await openAuthors(harness)
    await expect(db.transaction('read', (tx) => add(tx, 'second'))).rejects.toThrow()
    expect(await namesIn(db)).toEqual(['first'])
    await add(db, 'third')
    expect(await namesIn(db)).toEqual(['first', 'third'])
  })

  test('sees one snapshot while another connection writes', async () => {
    const { db, connect, run } = await openAuthors(harness)
    // In its other journal modes SQLite makes the writer wait instead.
    if (harness.kind === 'sqlite') await run('pragma journal_mode = wal')
    const other = await connect()
    await db.transaction('read', async (tx) => {
      expect(await namesIn(tx)).toEqual(['first'])
      await other.run(`insert into author (name) values ('meanwhile'); delete from author where id = 1`)
      expect(await namesIn(tx)).toEqual(['first'])
    })
    expect(await namesIn(db)).toEqual(['meanwhile'])
  })
})

describeDatabase('sqlite', 'overlapping transactions', (harness) => {
  test('the second one is refused, the first one goes on', async () => {
    const { db } = await openAuthors(harness)
    const first = db.transaction('write', async (tx) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      await add(tx, 'second')
    })
    await expect(db.transaction('write', (tx) => add(tx, 'third'))).rejects.toThrow(
      'one transaction at a time',
    )
    await first
    expect(await namesIn(db)).toEqual(['first', 'second'])
  })

  test('another process can write as soon as one has ended', async () => {
    const { db, connect } = await openAuthors(harness)
    const other = await connect()
    await db.transaction('write', async (tx) => {
      await add(tx, 'second')
      await expect(other.run(`insert into author (name) values ('third')`)).rejects.toThrow('locked')
    })
    await other.run(`insert into author (name) values ('third')`)
    expect(await namesIn(db)).toEqual(['first', 'second', 'third'])
  })
})

describeDatabase('postgres', 'overlapping transactions', (harness) => {
  test('work side by side, each on its own connection', async () => {
    const { db } = await openAuthors(harness)
    await db.transaction('write', async (tx) => {
      await add(tx, 'second')
      await db.transaction('write', (other) => add(other, 'third'))
      expect(await namesIn(tx)).toEqual(['first', 'second', 'third'])
    })
  })

  test('a statement sees what others committed while it waited for a lock', async () => {
    const { db, connect } = await openAuthors(harness)
    const site = await connect()
    await site.run(`begin; update author set name = 'renamed' where id = 1`)
    const seen = db.transaction('write', async (tx) => {
      await tx.dialect.lockRows(tx, sql`author`, sql`id = 1`, sql`id`)
      return namesIn(tx)
    })
    await untilSomebodyWaits(db, 'lock')
    await site.run('commit')
    expect(await seen).toEqual(['renamed'])
  })

  test('oneAtATime lets the next one pass when the first has ended', async () => {
    const { db } = await openAuthors(harness)
    const order: string[] = []
    const work = (name: string) =>
      db.transaction('write', async (tx) => {
        await tx.dialect.oneAtATime(tx)
        order.push(`${name} begins`)
        await namesIn(tx)
        order.push(`${name} ends`)
      })
    await Promise.all([work('a'), work('b')])
    const [one, other] = order[0] === 'a begins' ? ['a', 'b'] : ['b', 'a']
    expect(order).toEqual([`${one} begins`, `${one} ends`, `${other} begins`, `${other} ends`])
  })

  test('checkForeignKeys reports the broken key before the end', async () => {
    const { db } = await openAuthors(harness)
    const work = db.transaction('write', async (tx) => {
      await tx.run(sql`insert into post (author_id) values (99)`)
      const error: unknown = await tx.dialect.checkForeignKeys(tx).catch((caught: unknown) => caught)
      expect(databaseFault(error)).toBe('constraint')
      throw error
    })
    await expect(work).rejects.toThrow()
  })
})
