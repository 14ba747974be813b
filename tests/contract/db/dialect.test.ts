import { type SQL, sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { RING } from '../../../src/db/identifiers.ts'
import type { Db } from '../../../src/db/port.ts'
import { instantFromText } from '../../../src/django/datetime.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'

const AWKWARD = [`o'brien`, 'a"b', 'back\\slash', '{x,y}', 'NULL', '', 'Zoë 🙂', 'two\nlines']

const WORDS = 'create table word (id {key}, text varchar(80))'

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

  test('typeFamily: of what the catalog says', async () => {
    const columns = {
      small: ['smallint', 'integer'],
      number: ['bigint', 'integer'],
      name: ['varchar(40)', 'text'],
      note: ['text', 'text'],
      id: ['{uuid}', 'uuid'],
      ip: ['char(39)', 'fixed text'],
      at: ['date', undefined],
      price: ['numeric(8, 2)', undefined],
    }
    const database = await harness.empty()
    const definitions = Object.entries(columns).map(([name, [type]]) => `${name} ${type}`)
    await database.run(`create table t (${definitions.join(', ')})`)
    const { dialect } = database.db
    const table = (await dialect.catalog(database.db)).tables.get('t')
    const found = table?.columns.map(({ name, type }) => [name, dialect.typeFamily(type)])
    const families = Object.entries(columns).map(([name, [, family]]) => [name, family])
    expect(Object.fromEntries(found ?? [])).toEqual(Object.fromEntries(families))
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
    const found = db.dialect.recursive(sql`reached`, [{ name: sql`id`, type: 'integer' }], sql`select 1`, [
      { columns: sql`node.next`, table: sql`node`, on: sql`node.id = ${RING}.id and node.next is not null` },
      { columns: sql`jump.target`, table: sql`jump`, on: sql`jump.origin = ${RING}.id` },
    ])
    expect(await column(db, sql`with recursive ${found} select id from reached order by id`)).toEqual([
      '1',
      '2',
      '3',
      '5',
      '6',
    ])
  })

  test('instantText: what instantFromText makes of any instant', async () => {
    const { db, run } = await harness.empty()
    await run('create table t (id {key}, at {instant})')
    const instants = [
      '2020-01-01 00:00:00',
      '2020-12-31 23:59:59.000001',
      '2020-01-01 10:20:30.5',
      '1000-01-01 00:00:00',
    ]
    const odd = harness.pick({
      sqlite: [
        '2020-01-01 00:00:00.000000',
        '2020-01-01T10:00:00Z',
        '2020-01-01 10:00:00.123456+02:00',
        '2020-01-01',
        'never',
        '',
      ],
      postgres: [
        'infinity',
        '12019-03-01 07:00:00.12345+00',
        '0044-03-15 00:00:00+00 BC',
        '2020-01-01 10:00:00+02',
      ],
    })
    for (const text of [...instants, ...odd]) await run(`insert into t (at) values ('${text}')`)
    await run('insert into t (at) values (null)')
    const { exactText, instantText } = db.dialect
    const rows = await db.transaction('read', (tx) =>
      tx.rows<{ exact: string | null; text: string | null }>(
        sql`select ${exactText(sql`at`, '')} as exact, ${instantText(exactText(sql`at`, ''))} as text from t order by id`,
      ),
    )
    expect(rows).toHaveLength(instants.length + odd.length + 1)
    expect(rows.map(({ text }) => text)).toEqual(
      rows.map(({ exact }) => (exact === null ? null : instantFromText(exact))),
    )
  })

  test('shownKeyText: what shownKey makes of any key', async () => {
    const { db, run } = await harness.empty()
    await run('create table t (id {key}, unique_id {uuid})')
    const type = harness.pick({ sqlite: 'char(32)', postgres: 'uuid' })
    const keys = ['0a1b2c3d4e5f60718293a4b5c6d7e8f9', '0A1B2C3D4E5F60718293A4B5C6D7E8FA']
    for (const key of keys) await run(`insert into t (unique_id) values ('${key}')`)
    const key = sql`cast(unique_id as text)`
    const rows = await db.rows<{ key: string; shown: string }>(
      sql`select ${key} as key, ${db.dialect.shownKeyText(key, type)} as shown from t order by id`,
    )
    expect(rows.map(({ shown }) => shown)).toEqual(
      rows.map(({ key: stored }) => db.dialect.shownKey(stored, type)),
    )
    expect(rows[0]?.shown).toBe('0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9')
  })

  test('jsonObject: one line without spaces, whatever the texts hold', async () => {
    const { db } = await harness.empty()
    for (const text of AWKWARD) {
      const object = db.dialect.jsonObject([
        ['a', sql`cast(${text} as text)`],
        ['b c', db.dialect.json(sql`cast('["x",true]' as text)`)],
        ['none', sql`cast(null as text)`],
      ])
      const [line = ''] = await column(db, sql`select ${object} as line`)
      expect(line).not.toContain('\n')
      expect(line).toBe(JSON.stringify({ a: text, 'b c': ['x', true], none: null }))
    }
  })

  test('changeMark: another one when somebody else has changed something, where the database can tell', async () => {
    const { db, connect } = await harness.prepared('words', (empty) => empty.run(WORDS))
    const mark = () => db.transaction('write', (tx) => tx.dialect.changeMark(tx))
    const before = await mark()
    await db.run(sql`insert into word (text) values ('ours')`)
    const after = await mark()
    const other = await connect()
    await other.run(`insert into word (text) values ('theirs')`)
    expect([before === undefined, after === before, (await mark()) === before]).toEqual(
      harness.pick({ sqlite: [false, true, false], postgres: [true, true, true] }),
    )
    await other.close()
  })
})

describeDatabase('sqlite', 'changeMark', (harness) => {
  test('nobody can tell what a trigger changes', async () => {
    const { db, run } = await harness.prepared('words', (empty) => empty.run(WORDS))
    const mark = () => db.transaction('write', (tx) => tx.dialect.changeMark(tx))
    expect(await mark()).toBeDefined()
    await run('create trigger also after delete on word begin delete from word; end')
    expect(await mark()).toBeUndefined()
  })
})

describeDatabase('sqlite', 'keys of integer columns', (harness) => {
  test('keyAmong: SQLite lets any value in', async () => {
    const { db, run } = await harness.empty()
    await run(
      "create table person (id bigint primary key); insert into person values (1), (2.5), ('abc'), ('a\"b'), (7)",
    )
    const where = db.dialect.keyAmong(sql`id`, 'bigint', ['1', '2.5', 'abc', 'a"b'])
    expect(await column(db, sql`select id from person where ${where}`)).toEqual(['1', '2.5', 'a"b', 'abc'])
  })
})
