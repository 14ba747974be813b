import { type SQL, sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import type { Db } from '../../src/db/port.ts'
import { describeEachDatabase } from '../support/databases.ts'

const AWKWARD = [`o'brien`, 'a"b', 'back\\slash', '{x,y}', 'NULL', '', 'Zoë 🙂', 'two\nlines']

/** The first column of each row, as text. */
async function column(db: Db, query: SQL): Promise<string[]> {
  return (await db.rows<Record<string, unknown>>(query)).map((row) => String(Object.values(row)[0]))
}

describeEachDatabase('the dialect', (harness) => {
  test('among: any text, exactly', async () => {
    const { db, run } = await harness.empty()
    await run('create table word (id {key}, text varchar(80))')
    for (const text of [...AWKWARD, 'another'])
      await db.rows(sql`insert into word (text) values (${text}) returning id`)
    const where = db.dialect.among(sql`text`, AWKWARD)
    expect(await column(db, sql`select text from word where ${where} order by id`)).toEqual(AWKWARD)
    expect(await column(db, sql`select id from word where ${db.dialect.among(sql`text`, [])}`)).toEqual([])
  })

  test('keyAmong: a hundred thousand large keys', async () => {
    const { db, run } = await harness.empty()
    await run('create table person (id bigint primary key)')
    await db.run(sql`insert into person (id) values (9007199254740993), (9007199254740992), (7)`)
    const keys = Array.from({ length: 100_000 }, (_, n) => String(9007199254740993n + BigInt(n)))
    const where = db.dialect.keyAmong(sql`id`, 'bigint', keys)
    expect(await column(db, sql`select id from person where ${where}`)).toEqual(['9007199254740993'])
  })

  test('keyAmong: UUIDs and texts', async () => {
    const { db, run } = await harness.empty()
    await run('create table person (id {uuid} primary key, handle varchar(40) unique)')
    const type = harness.pick({ sqlite: 'char(32)', postgres: 'uuid' })
    const key = db.dialect.parseKey('0A1B2C3D4E5F60718293A4B5C6D7E8F9', type) ?? ''
    await db.run(sql`insert into person values (${key}, 'o''b,"')`)
    const byId = db.dialect.keyAmong(sql`id`, type, [key])
    const handleType = harness.pick({ sqlite: 'varchar(40)', postgres: 'character varying(40)' })
    const byHandle = db.dialect.keyAmong(sql`handle`, handleType, [`o'b,"`])
    expect(await column(db, sql`select handle from person where ${byId} and ${byHandle}`)).toEqual([`o'b,"`])
  })

  test.each([
    ['integer', '12', '12'],
    ['integer', '-012', '-12'],
    ['integer', '1.5', undefined],
    ['integer', 'x', undefined],
    ['integer', '', undefined],
    ['integer', '9223372036854775808', undefined],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['bigint', '-9223372036854775808', '-9223372036854775808'],
    ['bigint', '9223372036854775808', undefined],
    ['varchar(40)', '012', '012'],
  ])('parseKey: %s %s', async (type, text, key) => {
    const { db } = await harness.empty()
    expect(db.dialect.parseKey(text, type)).toBe(key)
  })

  test('parseKey: a UUID, or nothing', async () => {
    const { db } = await harness.empty()
    const type = harness.pick({ sqlite: 'char(32)', postgres: 'uuid' })
    expect(db.dialect.parseKey('12', type)).toBeUndefined()
    expect(db.dialect.parseKey(`${'0'.repeat(32)}0`, type)).toBeUndefined()
  })

  test('foldCase goes beyond ASCII, and leaves NULL', async () => {
    const { db } = await harness.empty()
    const fold = (text: string | null) => db.dialect.foldCase(sql`cast(${text} as varchar(40))`)
    expect(await column(db, sql`select ${fold('ÀÖ Жан ŁÓDŹ Ω')}`)).toEqual(['àö жан łódź ω'])
    expect(await column(db, sql`select ${fold(null)} is null`)).toEqual([
      harness.pick({ sqlite: '1', postgres: 'true' }),
    ])
  })

  test('recursive: follows two kinds of step around a ring, and ends', async () => {
    const { db, run } = await harness.empty()
    await run(`create table node (id integer primary key, next integer);
      create table jump (origin integer, target integer);
      insert into node values (1, 2), (2, 3), (3, 1), (4, 1), (5, null), (6, 5);
      insert into jump values (3, 6), (6, 6)`)
    const found = db.dialect.recursive('reached', sql`id`, sql`select 1`, [
      { columns: sql`node.next`, table: sql`node`, on: sql`node.id = found.id and node.next is not null` },
      { columns: sql`jump.target`, table: sql`jump`, on: sql`jump.origin = found.id` },
    ])
    expect(await column(db, sql`with recursive ${found} select id from reached order by id`)).toEqual([
      '1',
      '2',
      '3',
      '5',
      '6',
    ])
  })
})
