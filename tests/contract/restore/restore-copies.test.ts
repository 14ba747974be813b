import { beforeEach, describe, expect, test } from 'vitest'
import type { RuleSettings } from '../../../src/site/rules.ts'
import { purgeInto, putBack } from '../../support/archives.ts'
import { NO_GUARDS } from '../../support/criteria.ts'
import { describeEachDatabase, type Harness } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const user = 'integer references auth_user (id) deferrable initially deferred'

/** The users that a row refers to, by their place among all. */
type Pair = readonly [one: number | null, other: number | null]

/** Nothing but their values tells these rows apart. */
async function siteOfPairs(harness: Harness, pairs: readonly Pair[]): Promise<TestSite> {
  const site = await createSite(
    harness,
    'django5.2-allauth65',
    `create table pair (one_id ${user}, other_id ${user}, note text);`,
  )
  const users = [await addUser(site), await addUser(site), await addUser(site)]
  const at = (place: number | null) => (place === null ? null : (users[place] ?? null))
  for (const [one, other] of pairs) await insert(site, 'pair', { one_id: at(one), other_id: at(other) })
  return site
}

async function pairsOf(site: TestSite): Promise<string[]> {
  return (await rowsOf(site.db, 'pair')).map((row) => JSON.stringify(row)).sort()
}

describeEachDatabase('rows of a table without a primary key', (harness) => {
  describe.each([1, 1_000])('of users in batches of %i', (size) => {
    test.each<[Pair, Pair]>([
      [
        [null, 1],
        [0, 1],
      ],
      [
        [1, null],
        [1, 0],
      ],
      [
        [0, 1],
        [1, 0],
      ],
      [
        [0, 0],
        [null, 0],
      ],
    ])('get back what each of them referred to: %j, %j', async (...pairs) => {
      const site = await siteOfPairs(harness, pairs)
      await expectSame(site, size, { setNull: ['pair.one_id', 'pair.other_id'] })
    })

    test.each<[Pair, Pair]>([
      [
        [2, 0],
        [2, 2],
      ],
      [
        [2, 2],
        [2, 0],
      ],
      [
        [1, 1],
        [1, 0],
      ],
      [
        [1, 0],
        [1, null],
      ],
    ])('come back once, though some had lost a reference before: %j, %j', async (...pairs) => {
      const site = await siteOfPairs(harness, pairs)
      await expectSame(site, size, { cascade: ['pair.one_id'], setNull: ['pair.other_id'] })
    })
  })

  test('are let alone when they had lost a part of what others refer to', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table seat (row_no integer, no integer, user_id ${user}, primary key (row_no, no));
       create table pair (row_no integer, one_id integer, other_id integer,
         foreign key (row_no, one_id) references seat (row_no, no),
         foreign key (row_no, other_id) references seat (row_no, no));`,
    )
    const [first, second] = [await addUser(site), await addUser(site)]
    await site.database.run(`insert into seat values (7, 1, ${first}), (7, 2, ${second});
      insert into pair values (null, 1, 2), (7, null, 1), (7, 1, 2), (7, 2, 1)`)
    await expectSame(site, 1_000, { cascade: ['seat'], setNull: ['pair.one_id', 'pair.other_id'] })
  })

  test('keep nobody out when a column of theirs has disappeared', async () => {
    const site = await siteOfPairs(harness, [
      [0, 1],
      [null, 1],
    ])
    const rules = { setNull: ['pair.one_id', 'pair.other_id'] }
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS })
    await site.database.run('alter table pair drop column note')
    const { restored, failed } = await putBack(site, path)
    expect(restored).toMatchObject({ auth_user: 3 })
    expect(failed.map(({ table }) => table)).toEqual(['pair', 'pair', 'pair'])
  })

  /** Purges everybody, and puts them back twice. */
  async function expectSame(site: TestSite, size: number, rules: RuleSettings): Promise<void> {
    const before = await pairsOf(site)
    const { path } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size })
    expect(await pairsOf(site)).not.toEqual(before)
    expect(await putBack(site, path)).toMatchObject({ failed: [] })
    expect(await pairsOf(site)).toEqual(before)
    expect(await putBack(site, path)).toMatchObject({ restored: {}, relinked: {}, failed: [] })
    expect(await pairsOf(site)).toEqual(before)
  }
})
