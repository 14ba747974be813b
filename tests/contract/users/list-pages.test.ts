import { sql } from 'drizzle-orm'
import { beforeAll, expect, test } from 'vitest'
import { listPages, listUsers, RunningTally, tally, usersIn } from '../../../src/users/list.ts'
import type { ListedUser } from '../../../src/users/list-fields.ts'
import type { ListRequest } from '../../../src/users/list-pages.ts'
import { CUTOFF, criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { createSite, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

/** Three pages. */
const USERS = 11_000

async function listed(site: TestSite, request: Partial<ListRequest> = {}): Promise<ListedUser[]> {
  const users: ListedUser[] = []
  const asked: ListRequest = { criteria: criteria(), fields: ['id'], show: 'all', ...request }
  for await (const user of listUsers(site, asked)) users.push(user)
  return users
}

const ids = async (site: TestSite, request?: Partial<ListRequest>) =>
  (await listed(site, request)).map(({ id }) => Number(id))

const EVERYBODY = Array.from({ length: USERS }, (_, i) => i + 1)
const byName = (a: number, b: number) => (`user${a}` < `user${b}` ? -1 : 1)

describeEachDatabase('a list of several pages', (harness) => {
  let site: TestSite
  beforeAll(async () => {
    site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, USERS)
    await site.database.run('update auth_user set is_staff = true where id % 3 = 0')
  })

  test('is in the order of the keys, also backwards', async () => {
    expect(await ids(site)).toEqual(EVERYBODY)
    expect(await ids(site, { sort: { field: 'id', descending: true } })).toEqual(EVERYBODY.toReversed())
  })

  test('is in the order of a field, also backwards', async () => {
    const sorted = EVERYBODY.toSorted(byName)
    expect(await ids(site, { sort: { field: 'username', descending: false } })).toEqual(sorted)
    expect(await ids(site, { sort: { field: 'username', descending: true } })).toEqual(sorted.toReversed())
  })

  test.each([undefined, { field: 'username', descending: false }] as const)(
    'holds only those asked for, no more than the limit: %o',
    async (sort) => {
      const order = sort ? EVERYBODY.toSorted(byName) : EVERYBODY
      const kept = order.filter((id) => id % 3 === 0)
      const deletable = order.filter((id) => id % 3 !== 0)
      expect(await ids(site, { show: 'kept', sort })).toEqual(kept)
      expect(await ids(site, { show: 'deletable', sort })).toEqual(deletable)
      const limited = criteria({ selection: { limit: 7_000 } })
      expect(await ids(site, { show: 'deletable', sort, criteria: limited })).toEqual(
        deletable.slice(0, 7_000),
      )
    },
  )

  test('says how many users each page has', async () => {
    const asked: ListRequest = { criteria: criteria(), fields: ['id', 'username'], show: 'deletable' }
    let users = 0
    for await (const page of listPages(site, asked)) {
      expect(usersIn(page)).toHaveLength(page.users)
      users += page.users
    }
    expect(users).toBe(EVERYBODY.filter((id) => id % 3 !== 0).length)
  })

  test.each(['id', 'username'] as const)('by %s: are counted as they come', async (field) => {
    const sort = { field, descending: true }
    const asked: ListRequest = { criteria: criteria(), fields: ['id'], show: 'all', sort }
    const running = new RunningTally()
    for await (const _ of listPages(site, asked, running.look));
    expect(running.whole).toEqual(await tally(site, asked.criteria))
  })

  test.each([
    { show: 'all', criteria: criteria({ selection: { limit: 10 } }) },
    { show: 'kept', criteria: criteria(), sort: { field: 'username', descending: false } },
  ] as const)('are not counted where some are left out: %o', async (request) => {
    const running = new RunningTally()
    for await (const _ of listPages(site, { fields: ['id'], ...request }, running.look));
    expect(running.whole).toBeUndefined()
  })
})

describeEachDatabase('a listed user', (harness) => {
  test('has every field that the user model has, and null for the others', async () => {
    const site = await createSite(harness, 'cookiecutter')
    const lastLogin = '2019-01-01T00:00:00.5Z'
    const addresses = [
      { email: 'a"b\\c@example.com', verified: false, primary: true },
      { email: 'Zoë@example.com', verified: true, primary: false },
    ]
    const id = await addUser(site, { lastLogin, isStaff: true, isActive: true, addresses })
    const fields = [
      'id',
      'username',
      'email',
      'last_login',
      'is_staff',
      'is_active',
      'kept_because',
      'addresses',
    ] as const
    expect(await listed(site, { fields })).toEqual([
      {
        id,
        username: null,
        email: 'a"b\\c@example.com',
        last_login: '2019-01-01T00:00:00.500000Z',
        is_staff: true,
        is_active: true,
        kept_because: ['staff', 'verified-address'],
        addresses,
      },
    ])
  })
})

describeDatabase('postgres', 'a listed user', (harness) => {
  test('reads the same in a session of another time zone', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site, { lastLogin: CUTOFF })
    const zone = new URLSearchParams({ options: '-c TimeZone=Asia/Kathmandu' })
    const db = await site.database.open({}, `${site.url}?${String(zone).replaceAll('+', '%20')}`)
    const begun = sql`select reset_val as zone from pg_settings where name = 'TimeZone'`
    expect(await db.rows(begun)).toEqual([{ zone: 'Asia/Kathmandu' }])
    expect(await listed({ ...site, db }, { fields: ['last_login'] })).toEqual([{ last_login: CUTOFF }])
  })
})
