import { beforeEach, expect, test } from 'vitest'
import { purgeInto, putBack } from '../../support/archives.ts'
import { describeDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, rowsOf, siteIn, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

// https://sqlite.org/lang_createtable.html#the_primary_key: "due to a bug".
describeDatabase('sqlite', 'rows with NULL in their primary key', (harness) => {
  /** Two users have rows in tables whose keys tell some rows apart, and some not. */
  async function siteWithNullKeys(onDelete: string): Promise<{ site: TestSite; one: string }> {
    const empty = await createSite(
      harness,
      'django5.2-allauth65',
      `create table label (name text primary key, user_id integer references auth_user (id) ${onDelete});
      create table mark (a integer, b text, user_id integer references auth_user (id) ${onDelete}, primary key (a, b));
      create table stamp (id integer primary key desc, user_id integer references auth_user (id) ${onDelete}, t text);
      create table shade (id integer primary key, a integer, b text, foreign key (a, b) references mark);`,
    )
    const [one, two] = [await addUser(empty), await addUser(empty)]
    await empty.database.run(`
      insert into label values (null, ${one}), (null, ${two}), (null, ${two}), (null, null), ('a', ${one});
      insert into mark values (1, null, ${one}), (1, null, ${two}), (1, null, ${two}), (1, 'b', ${one}), (null, null, null);
      insert into stamp (user_id, t) values (${one}, 'a'), (${two}, 'b'), (${two}, 'b'), (${one}, 'b'), (null, 'a')`)
    return { site: await siteIn(empty.database), one }
  }

  const allOf = async (site: TestSite) =>
    (await Promise.all(['label', 'mark', 'stamp'].map((table) => rowsOf(site.db, table)))).map((rows) =>
      rows.map((row) => JSON.stringify(row)).sort(),
    )

  test.each(['on delete cascade', 'on delete set null'])(
    'come back as they were, however often one asks: %s',
    async (onDelete) => {
      const { site, one } = await siteWithNullKeys(onDelete)
      const before = await allOf(site)
      const { path, report } = await purgeInto(directory, site, {})
      expect(report).toMatchObject({ deleted: 2, failed: [] })
      expect(await allOf(site)).not.toEqual(before)
      for (const users of [[one], undefined]) {
        expect((await putBack(await siteIn(site.database), path, { users })).failed).toEqual([])
      }
      expect(await allOf(site)).toEqual(before)
      expect(await putBack(await siteIn(site.database), path)).toMatchObject({ restored: {}, relinked: {} })
      expect(await allOf(site)).toEqual(before)
    },
  )

  test('are not made of those that had a whole one', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table label (id integer primary key, user_id integer references auth_user (id));
      create table mark (user_id integer references auth_user (id), label_id integer references label (id),
        primary key (user_id, label_id));`,
    )
    const [one, two] = [await addUser(site), await addUser(site)]
    await site.database.run(`insert into label values (1, ${two}); insert into mark values (${one}, 1)`)
    const before = await allRowsOf(site.db)
    const rules = { cascade: ['label', 'mark.user_id'], setNull: ['mark.label_id'] }
    const { path } = await purgeInto(directory, site, { rules })
    expect((await putBack(site, path, { users: [one] })).failed).toEqual([
      { user: one, table: 'mark', reason: 'a row it depends on is not there: label' },
    ])
    expect(await putBack(site, path)).toMatchObject({ failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
  })
})
