import { expect, test } from 'vitest'
import { arrow, catalogOf, tableIn } from '../../support/catalog.ts'
import { describeDatabase } from '../../support/databases.ts'

describeDatabase('postgres', 'the catalog', (harness) => {
  test('identity, serial and computed columns', async () => {
    const catalog = await catalogOf(
      harness,
      `create table t (a serial, b bigint generated always as identity, c integer default 5,
        d integer generated always as (c + 1) stored, e integer not null)`,
    )
    expect(tableIn(catalog, 't').columns.map((column) => [column.filled, column.generated])).toEqual([
      [true, false],
      [true, false],
      [true, false],
      [true, true],
      [false, false],
    ])
  })

  test('a dot in a name is none between schema and table', async () => {
    const catalog = await catalogOf(
      harness,
      `create schema a; create schema "a.b"; create table a.b (one integer); create table "a.b" (two integer);
       create table a."b.c" (three integer); create table "a.b".c (four integer);`,
    )
    const columns = [...catalog.tables].map(([label, table]) => [
      label,
      ...table.columns.map(({ name }) => name),
    ])
    expect(Object.fromEntries(columns)).toEqual({
      'a.b': 'one',
      '"a.b"': 'two',
      'a."b.c"': 'three',
      '"a.b".c': 'four',
    })
  })

  test('dropped columns are gone', async () => {
    const catalog = await catalogOf(
      harness,
      `create table parent (gone integer, id integer primary key); alter table parent drop column gone;
       create table child (gone integer, parent_id integer references parent (id));
       alter table child drop column gone; create index i on child (parent_id)`,
    )
    expect(tableIn(catalog, 'parent').columns.map((column) => column.name)).toEqual(['id'])
    expect(catalog.foreignKeys.map((key) => `${arrow(key)} ${key.indexed}`)).toEqual([
      'child(parent_id) -> parent(id) true',
    ])
  })

  test('a partitioned table answers for its partitions', async () => {
    const catalog = await catalogOf(
      harness,
      `create table person (id integer primary key);
       create table event (id integer, at date, person_id integer references person (id) on delete cascade,
         primary key (id, at)) partition by range (at);
       create table event_2019 partition of event for values from ('2019-01-01') to ('2020-01-01');
       create table event_rest partition of event default;
       create index on event (person_id);
       create table note (event_id integer, event_at date, foreign key (event_id, event_at) references event)`,
    )
    expect([...catalog.tables.keys()]).toEqual(['event', 'note', 'person'])
    expect(catalog.foreignKeys.map((key) => `${arrow(key)} ${key.onDelete} ${key.indexed}`)).toEqual([
      'event(person_id) -> person(id) cascade true',
      'note(event_id,event_at) -> event(id,at) no action false',
    ])
  })

  test('foreign keys of a single partition count for the whole table, once', async () => {
    const catalog = await catalogOf(
      harness,
      `create table person (id integer primary key);
       create table event (id integer, at date, person_id integer, primary key (id, at)) partition by range (at);
       create table event_2019 partition of event for values from ('2019-01-01') to ('2020-01-01');
       create table event_2020 partition of event for values from ('2020-01-01') to ('2021-01-01')
         partition by range (at);
       create table event_2020_all partition of event_2020 default;
       alter table event_2019 add foreign key (person_id) references person (id);
       alter table event_2020_all add foreign key (person_id) references person (id)`,
    )
    expect(catalog.foreignKeys.map(arrow)).toEqual(['event(person_id) -> person(id)'])
  })

  test('tables off the search path carry their schema; a hidden namesake too', async () => {
    const catalog = await catalogOf(
      harness,
      `create table person (id integer primary key);
       create schema other; create table other.person (id bigint primary key);
       create table other.visit (person_id integer references public.person (id),
         other_id bigint references other.person (id))`,
    )
    expect([...catalog.tables.keys()].sort()).toEqual(['other.person', 'other.visit', 'person'])
    expect(tableIn(catalog, 'person').schema).toBeUndefined()
    expect(tableIn(catalog, 'other.person')).toMatchObject({ schema: 'other', name: 'person' })
    expect(catalog.foreignKeys.map(arrow).sort()).toEqual([
      'other.visit(other_id) -> other.person(id)',
      'other.visit(person_id) -> person(id)',
    ])
  })

  test('an index that is being built, or failed to be, does not count', async () => {
    const database = await harness.empty()
    await database.run(`create table parent (id integer primary key);
      create table child (parent_id integer references parent (id));
      insert into parent values (1); insert into child values (1), (1)`)
    await expect(
      database.run('create unique index concurrently broken on child (parent_id)'),
    ).rejects.toThrow()
    const { foreignKeys } = await database.db.dialect.catalog(database.db)
    expect(foreignKeys.map((key) => key.indexed)).toEqual([false])
  })

  test('a hash index serves a single column', async () => {
    const catalog = await catalogOf(
      harness,
      `create table parent (id integer primary key);
       create table child (parent_id integer references parent (id));
       create index on child using hash (parent_id)`,
    )
    expect(catalog.foreignKeys.map((key) => key.indexed)).toEqual([true])
  })

  test('an index includes columns that it does not lead with', async () => {
    const catalog = await catalogOf(
      harness,
      `create table parent (x integer, y integer, primary key (x, y));
       create table child (a integer, b integer, foreign key (a, b) references parent (x, y));
       create index on child (a) include (b)`,
    )
    expect(catalog.foreignKeys.map((key) => key.indexed)).toEqual([false])
  })

  test('a BRIN index on the column helps no deletion', async () => {
    const catalog = await catalogOf(
      harness,
      `create table parent (id integer primary key);
       create table child (parent_id integer references parent (id));
       create index on child using brin (parent_id)`,
    )
    expect(catalog.foreignKeys.map((key) => key.indexed)).toEqual([false])
  })

  test('temporary tables are somebody else’s', async () => {
    const { db, connect } = await harness.empty()
    await (await connect()).run('create temporary table scratch (id integer)')
    expect((await db.dialect.catalog(db)).tables.size).toBe(0)
  })
})
