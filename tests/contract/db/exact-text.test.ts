import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'

/** Copies a row by its text alone, as archive and restore do, and returns whether the database finds them equal. */
const POSTGRES_VALUES = [
  ['timestamptz', `'2020-01-01 00:00:00.123456+05:45'`],
  ['timestamptz', `'infinity'`],
  ['timestamp', `'2020-01-01 00:00:00.1'`],
  ['numeric', '12345678901234567890.123456789000'],
  ['double precision', '0.1::float8 + 0.2::float8'],
  ['real', '1.0 / 3'],
  ['bigint', '9223372036854775807'],
  ['jsonb', `'{"b": 1.50, "a": [null, "é\\n"]}'`],
  ['json', `'{"b":1,  "b":2}'`],
  ['bytea', `'\\x00ff10'`],
  ['interval', `'1 mon 2 days 03:04:05.678901'`],
  ['text[]', `array['a,b', '"q"', null, '']`],
  ['inet', `'10.0.0.1/8'`],
  ['date', `'0044-03-15 BC'`],
  ['int4range', `'[1,5)'`],
  ['bpchar', `'a  '`],
  ['character(4)', `'a'`],
] as const

describeDatabase('postgres', 'exactText', (harness) => {
  test.each(POSTGRES_VALUES)('%s %s', async (type, literal) => {
    const { db, run } = await harness.empty()
    await run(`create table original (v ${type}); insert into original select ${literal}`)
    await run('create table copy as select * from original with no data')
    await db.transaction('write', async (tx) => {
      const [row] = await tx.rows<{ text: string }>(
        sql`select ${tx.dialect.exactText(sql`v`, type)} as text from original`,
      )
      await tx.run(sql`insert into copy select ${row?.text}::${sql.raw(type)}`)
    })
    const rows = await db.rows(
      sql`select 1 from original o join copy c on format('%s', o.v) = format('%s', c.v)`,
    )
    expect(rows).toHaveLength(1)
  })
})

describeDatabase('sqlite', 'exactText', (harness) => {
  test.each(['9223372036854775807', '0.1', '-1e300', `'text'`, `'007'`, "x'00ff'", 'null', "''"])(
    'keeps value and storage class of %s',
    async (literal) => {
      const { db, run } = await harness.empty()
      await run(`create table original (v); insert into original values (${literal}); create table copy (v)`)
      const [row] = await db.rows<{ text: unknown }>(
        sql`select ${db.dialect.exactText(sql`v`, '')} as text from original`,
      )
      await db.run(sql`insert into copy values (${row?.text})`)
      const rows = await db.rows(
        sql`select 1 from original o join copy c on o.v is c.v and typeof(o.v) = typeof(c.v)`,
      )
      expect(rows).toHaveLength(1)
    },
  )
})

describeEachDatabase('exactText', (harness) => {
  test('a timestamp keeps its microseconds', async () => {
    const { db, run } = await harness.empty()
    await run(`create table t (at {instant}); insert into t values ('2020-01-01 00:00:00.000001')`)
    const text = await db.transaction('read', async (tx) => {
      const [row] = await tx.rows<{ text: string }>(
        sql`select ${tx.dialect.exactText(sql`at`, '')} as text from t`,
      )
      return row?.text
    })
    expect(text).toMatch(/^2020-01-01 00:00:00\.000001(\+00)?$/)
  })
})
