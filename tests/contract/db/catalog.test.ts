import { expect, test } from 'vitest'
import { arrow, catalogOf, tableIn } from '../../support/catalog.ts'
import { describeEachDatabase } from '../../support/databases.ts'

describeEachDatabase('the catalog', (harness) => {
  test('an empty database has no tables', async () => {
    const { tables, foreignKeys } = await catalogOf(harness, '')
    expect([tables.size, foreignKeys.length]).toEqual([0, 0])
  })

  test('columns: type, NULL, who fills them in', async () => {
    const catalog = await catalogOf(
      harness,
      `create table thing (id {key}, uid {uuid} not null, name varchar(20) not null default 'x',
        seen {instant}, fine {bool} not null, doubled integer generated always as (fine_count * 2) stored,
        fine_count integer not null)`,
    )
    const pick = harness.pick
    const column = (name: string, type: string, flags: object = {}) => ({
      name,
      type,
      nullable: false,
      generated: false,
      filled: false,
      ...flags,
    })
    expect(tableIn(catalog, 'thing')).toEqual({
      label: 'thing',
      schema: undefined,
      namespace: harness.pick({ sqlite: undefined, postgres: 'public' }),
      extended: false,
      partitioned: false,
      ruled: false,
      deferrableKeys: [],
      indexes: harness.pick<string[][]>({ sqlite: [], postgres: [['id']] }),
      missingReferences: [],
      name: 'thing',
      primaryKey: ['id'],
      columns: [
        column('id', 'integer', { filled: true }),
        column('uid', pick({ sqlite: 'char(32)', postgres: 'uuid' })),
        column('name', pick({ sqlite: 'varchar(20)', postgres: 'character varying(20)' }), { filled: true }),
        column('seen', pick({ sqlite: 'datetime', postgres: 'timestamp with time zone' }), {
          nullable: true,
        }),
        column('fine', pick({ sqlite: 'bool', postgres: 'boolean' })),
        column('doubled', 'integer', { nullable: true, generated: true, filled: true }),
        column('fine_count', 'integer'),
      ],
    })
  })

  test('a primary key of several columns, in the order of the key', async () => {
    const catalog = await catalogOf(
      harness,
      'create table pair (a integer not null, b integer not null, c integer, primary key (b, a))',
    )
    expect(tableIn(catalog, 'pair').primaryKey).toEqual(['b', 'a'])
  })

  test('a table without a primary key', async () => {
    const catalog = await catalogOf(harness, 'create table heap (a integer, b text not null)')
    expect(tableIn(catalog, 'heap').primaryKey).toEqual([])
  })

  test('names that need quotes', async () => {
    const catalog = await catalogOf(
      harness,
      `create table "Odd ""Table" ("select" integer primary key, "a b" varchar(9));
       create table "order" ("Group" integer references "Odd ""Table" ("select"));
       create index "in dex" on "order" ("Group")`,
    )
    expect([...catalog.tables.keys()].sort()).toEqual(['Odd "Table', 'order'])
    expect(catalog.foreignKeys.map(arrow)).toEqual(['order(Group) -> Odd "Table(select)'])
    expect(catalog.foreignKeys[0]?.indexed).toBe(true)
  })

  test('views are not tables', async () => {
    const catalog = await catalogOf(
      harness,
      'create table thing (id {key}); create view things as select id from thing',
    )
    expect([...catalog.tables.keys()]).toEqual(['thing'])
  })

  test.each([
    ['', 'no action'],
    ['on delete no action deferrable initially deferred', 'no action'],
    ['on delete restrict', 'restrict'],
    ['on delete cascade', 'cascade'],
    ['on delete set null', 'set null'],
    ['on delete set default', 'set default'],
    ['on update cascade', 'no action'],
  ] as const)('references … %s', async (clause, onDelete) => {
    const catalog = await catalogOf(
      harness,
      `create table parent (id {key}); create table child (parent_id integer references parent (id) ${clause})`,
    )
    expect(catalog.foreignKeys.map((key) => key.onDelete)).toEqual([onDelete])
  })

  test('foreign keys: the primary key, a unique column, several columns, itself', async () => {
    const catalog = await catalogOf(
      harness,
      `create table parent (id {key}, handle varchar(9) unique, a integer, b integer, unique (a, b));
       create table child (id {key}, parent_id integer not null references parent,
         handle varchar(9) references parent (handle), x integer not null, y integer,
         above integer references child (id), foreign key (y, x) references parent (b, a))`,
    )
    expect(catalog.foreignKeys.map((key) => `${arrow(key)} ${key.nullable}`).sort()).toEqual([
      'child(above) -> child(id) true',
      'child(handle) -> parent(handle) true',
      'child(parent_id) -> parent(id) false',
      'child(y,x) -> parent(b,a) false',
    ])
  })

  test('two foreign keys between the same tables, two over one column', async () => {
    const catalog = await catalogOf(
      harness,
      `create table person (id {key}); create table member (id integer primary key references person (id));
       create table gift (giver integer references person (id), taker integer references person (id),
         foreign key (taker) references member (id))`,
    )
    expect(catalog.foreignKeys.map(arrow).sort()).toEqual([
      'gift(giver) -> person(id)',
      'gift(taker) -> member(id)',
      'gift(taker) -> person(id)',
      'member(id) -> person(id)',
    ])
  })
})
