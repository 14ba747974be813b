import { asc, eq, lte, sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import type { ColumnKit } from '../../../src/db/kit.ts'
import { describeEachDatabase, type Harness } from '../../support/databases.ts'

const TABLE = `create table thing (id {bigkey}, uid {uuid}, name varchar(200), seen {instant}, is_fine {bool})`

function thingTable(kit: ColumnKit, uuidType: string) {
  return kit.table(
    { name: 'thing', schema: undefined },
    {
      id: kit.key('id', 'bigint'),
      uid: kit.key('uid', uuidType),
      name: kit.text('name'),
      seen: kit.instant('seen'),
      isFine: kit.boolean('is_fine'),
    },
  )
}

async function openThings(harness: Harness) {
  const database = await harness.prepared('things', (empty) => empty.run(TABLE))
  const uuidType = harness.pick({ sqlite: 'char(32)', postgres: 'uuid' })
  return { ...database, things: thingTable(database.db.dialect.kit, uuidType), uuidType }
}

describeEachDatabase('values', (harness) => {
  test.each(['9007199254740993', '9223372036854775807', '-9223372036854775808'])('key %s', async (id) => {
    const { db, things } = await openThings(harness)
    const [inserted] = await db.insert(things).values({ id }).returning({ id: things.id })
    expect(inserted).toEqual({ id })
    await db.insert(things).values({ id: '1' })
    expect(await db.select({ id: things.id }).from(things).where(eq(things.id, id))).toEqual([{ id }])
  })

  test('a generated key comes back as text', async () => {
    const { db, things } = await openThings(harness)
    expect(await db.insert(things).values({ name: 'a' }).returning({ id: things.id })).toEqual([{ id: '1' }])
  })

  test('a UUID is stored as Django stores it, and shown with dashes', async () => {
    const { db, things, uuidType } = await openThings(harness)
    const shown = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'
    const uid = db.dialect.parseKey(shown.toUpperCase(), uuidType) ?? ''
    await db.insert(things).values({ uid })
    const [row] = await db.select({ uid: things.uid }).from(things).where(eq(things.uid, uid))
    expect(row?.uid).toBe(harness.pick({ sqlite: shown.replaceAll('-', ''), postgres: shown }))
    expect(db.dialect.shownKey(row?.uid ?? '', uuidType)).toBe(shown)
  })

  test.each([
    '2020-01-01T00:00:00Z',
    '2020-01-01T00:00:00.000001Z',
    '1999-12-31T23:59:59.999999Z',
    '9999-12-31T23:59:59.999999Z',
  ])('instant %s', async (seen) => {
    const { db, things } = await openThings(harness)
    await db.insert(things).values({ seen })
    expect(await db.select({ seen: things.seen }).from(things)).toEqual([{ seen }])
  })

  test('instants compare to the microsecond', async () => {
    const { db, things } = await openThings(harness)
    const names = ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00.000001Z', '2019-12-31T23:59:59.999999Z']
    await db.insert(things).values(names.map((seen) => ({ seen })))
    const found = await db
      .select({ seen: things.seen })
      .from(things)
      .where(lte(things.seen, '2020-01-01T00:00:00Z'))
      .orderBy(asc(things.seen))
    expect(found.map((row) => row.seen)).toEqual([names[2], names[0]])
  })

  test('an instant in another zone is the same instant', async () => {
    const { db, things } = await openThings(harness)
    await db.insert(things).values({ seen: '2020-01-01T05:45:00.25+05:45' })
    expect(await db.select({ seen: things.seen }).from(things)).toEqual([
      { seen: '2020-01-01T00:00:00.250000Z' },
    ])
  })

  test('booleans and NULL', async () => {
    const { db, things } = await openThings(harness)
    await db.insert(things).values([{ isFine: true }, { isFine: false }, {}])
    const rows = await db.select().from(things).orderBy(asc(things.id))
    expect(rows.map((row) => row.isFine)).toEqual([true, false, null])
    expect(rows[2]).toEqual({ id: '3', uid: null, name: null, seen: null, isFine: null })
    expect(await db.$count(things, eq(things.isFine, true))).toBe(1)
  })

  test('updates and deletions say which rows they changed', async () => {
    const { db, things } = await openThings(harness)
    await db.insert(things).values([{ name: 'a' }, { name: 'b' }])
    const id = things.id
    expect(await db.update(things).set({ name: 'c' }).where(eq(id, '2')).returning({ id })).toEqual([
      { id: '2' },
    ])
    expect(await db.delete(things).where(eq(things.name, 'a')).returning({ id })).toEqual([{ id: '1' }])
    expect(await db.$count(things)).toBe(1)
  })

  test('no statement runs after closing', async () => {
    const { open, url } = await openThings(harness)
    const db = await open({}, url)
    await db.rows(sql`select 1`)
    await db.close()
    await expect(db.rows(sql`select 1`)).rejects.toThrow()
  })
})
