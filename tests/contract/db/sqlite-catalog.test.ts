import { expect, test } from 'vitest'
import { arrow, catalogOf, tableIn } from '../../support/catalog.ts'
import { describeDatabase } from '../../support/databases.ts'

describeDatabase('sqlite', 'the catalog', (harness) => {
  test('a foreign key that spells its table and column otherwise, or names no column', async () => {
    const catalog = await catalogOf(
      harness,
      `create table Person (ID integer primary key);
       create table a (person_id integer references PERSON (Id));
       create table b (person_id integer references person);
       create index i on b (PERSON_ID)`,
    )
    expect(catalog.foreignKeys.map((key) => `${arrow(key)} ${key.indexed}`)).toEqual([
      'a(person_id) -> Person(ID) false',
      'b(person_id) -> Person(ID) true',
    ])
  })

  test('a foreign key to a table that is not there is left out, and the table is named', async () => {
    const catalog = await catalogOf(harness, 'create table a (gone_id integer references gone (id))')
    expect(catalog.foreignKeys).toEqual([])
    expect(tableIn(catalog, 'a').missingReferences).toEqual(['gone'])
  })

  test('columns that the database computes, also those it does not store', async () => {
    const catalog = await catalogOf(
      harness,
      'create table t (a integer, b integer as (a + 1), c integer as (a + 2) stored)',
    )
    expect(tableIn(catalog, 't').columns.map((column) => column.generated)).toEqual([false, true, true])
  })

  test('virtual tables are left out, tables with names like those of SQLite are not', async () => {
    const catalog = await catalogOf(
      harness,
      'create virtual table search using fts5(body); create table sqliteish (id integer)',
    )
    expect(catalog.tables.has('search')).toBe(false)
    expect(catalog.tables.has('sqliteish')).toBe(true)
  })

  test('a key that is not a rowid must be given, and may be NULL unless it says otherwise', async () => {
    const catalog = await catalogOf(
      harness,
      `create table a (id char(32) primary key); create table b (id char(32) not null primary key);
       create table c (id integer primary key) without rowid`,
    )
    const keys = ['a', 'b', 'c'].map((label) => tableIn(catalog, label).columns[0])
    expect(keys.map((key) => [key?.nullable, key?.filled])).toEqual([
      [true, false],
      [false, false],
      [false, false],
    ])
  })
})
