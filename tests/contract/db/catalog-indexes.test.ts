import { expect, test } from 'vitest'
import { catalogOf } from '../../support/catalog.ts'
import { describeEachDatabase } from '../../support/databases.ts'

describeEachDatabase('indexes on a referencing column', (harness) => {
  const cases: readonly [string, boolean, string][] = [
    ['none', false, ''],
    ['its own', true, 'create index i on child (parent_id)'],
    ['unique', true, 'create unique index i on child (parent_id)'],
    ['first of two', true, 'create index i on child (parent_id, other)'],
    ['second of two', false, 'create index i on child (other, parent_id)'],
    ['partial', false, 'create index i on child (parent_id) where other is not null'],
    ['over an expression', false, 'create index i on child (abs(parent_id))'],
    ['descending', true, 'create index i on child (parent_id desc)'],
  ]
  test.each(cases)('%s: %s', async (_, indexed, index) => {
    const catalog = await catalogOf(
      harness,
      `create table parent (id {key});
       create table child (id {key}, other integer, parent_id integer references parent (id)); ${index}`,
    )
    expect(catalog.foreignKeys.map((key) => key.indexed)).toEqual([indexed])
  })

  test('the primary key is one, with the referencing column first', async () => {
    const catalog = await catalogOf(
      harness,
      `create table parent (id {key});
       create table one (parent_id integer references parent (id), n integer, primary key (parent_id, n));
       create table two (parent_id integer references parent (id), n integer, primary key (n, parent_id))`,
    )
    expect(catalog.foreignKeys.map((key) => [key.table.label, key.indexed])).toEqual([
      ['one', true],
      ['two', false],
    ])
  })

  test.each([
    ['(a, b)', true],
    ['(b, a, c)', true],
    ['(a)', false],
    ['(a, c, b)', false],
  ])('for a key of two columns: %s is %s', async (columns, indexed) => {
    const catalog = await catalogOf(
      harness,
      `create table parent (x integer, y integer, primary key (x, y));
       create table child (a integer, b integer, c integer, foreign key (a, b) references parent (x, y));
       create index i on child ${columns}`,
    )
    expect(catalog.foreignKeys.map((key) => key.indexed)).toEqual([indexed])
  })
})
