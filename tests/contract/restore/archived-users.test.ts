import { beforeEach, expect, test } from 'vitest'
import { type ArchivedUser, archivedUsers } from '../../../src/users/archive/archived-users.ts'
import { openArchive } from '../../../src/users/archive/open-archive.ts'
import { listUsers } from '../../../src/users/list.ts'
import { purgeInto } from '../../support/archives.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { createSite, REAL_SITES, siteIn, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

async function listed(site: TestSite): Promise<ArchivedUser[]> {
  const found: ArchivedUser[] = []
  const fields = ['id', 'username', 'email'] as const
  for await (const user of listUsers(site, { criteria: criteria(), fields, show: 'all' })) {
    found.push({ id: user.id ?? '', username: user.username ?? '', email: user.email ?? '' })
  }
  return found.sort(byId)
}

async function archived(path: string): Promise<ArchivedUser[]> {
  const archive = await openArchive(path)
  const found: ArchivedUser[] = []
  for await (const user of archivedUsers(archive)) found.push(user)
  await archive.reader.close()
  return found.sort(byId)
}

function byId(one: ArchivedUser, other: ArchivedUser): number {
  return one.id.localeCompare(other.id)
}

/** Purges the site. Expects that its archive shows whom the list has shown. Returns them. */
async function expectShownAsListed(site: TestSite): Promise<ArchivedUser[]> {
  const before = await listed(site)
  const { path, report } = await purgeInto(directory, site)
  expect(report).toMatchObject({ deleted: before.length, failed: [] })
  const shown = await archived(path)
  expect(shown).toEqual(before)
  return shown
}

describeEachDatabase('who is in an archive', (harness) => {
  test.each([...REAL_SITES, 'custom-member', 'custom-bare', 'custom-handle'] as const)(
    'is shown as in the list: %s',
    async (name) => {
      const site = await createSite(harness, name)
      const handle = name === 'custom-handle'
      for (const each of ['one', 'two', 'three']) {
        await addUser(site, { email: `${each}@example.com`, ...(handle && { columns: { handle: each } }) })
      }
      const emails = (await expectShownAsListed(site)).map(({ email }) => email)
      expect(emails.sort()).toEqual(['one@example.com', 'three@example.com', 'two@example.com'])
    },
  )

  test('is shown with an id that JavaScript would round, and the older of two addresses', async () => {
    const site = await createSite(harness, 'custom-member')
    const addresses = ['z', 'a'].map((name) => ({ email: `${name}@example.com`, primary: true }))
    await addUser(site, { columns: { member_no: '9007199254740993' }, addresses })
    expect(await expectShownAsListed(site)).toEqual([
      { id: '9007199254740993', username: '', email: 'z@example.com' },
    ])
  })

  test('is shown by columns of other names, also when the addresses have stayed behind', async () => {
    const database = await harness.empty()
    await database.run(`create table member (id {key}, nick varchar(40), mail varchar(254), last_login {instant});
      create table account_emailaddress (id {key}, email varchar(254), verified {bool}, "primary" {bool},
        user_id integer references member (id) on delete set null)`)
    const columns = { username: 'nick', email: 'mail' }
    const site = await siteIn(database, { users: 'member', columns })
    await addUser(site, { username: 'bot', email: 'bot@example.com' })
    expect(await expectShownAsListed(site)).toEqual([{ id: '1', username: 'bot', email: 'bot@example.com' }])
  })

  test('is shown with their own address when another key differs in case only', async () => {
    const database = await harness.empty()
    await database.run(`create table member (id varchar(20) primary key, last_login {instant});
      create table account_emailaddress (id {key}, email varchar(254), verified {bool}, "primary" {bool},
        user_id varchar(20) references member (id) on delete cascade)`)
    const site = await siteIn(database, { users: 'member' })
    for (const id of ['A', 'a']) await addUser(site, { email: `${id}.${id}@example.com`, columns: { id } })
    expect(await expectShownAsListed(site)).toHaveLength(2)
  })
})

describeDatabase('sqlite', 'who is in an archive', (harness) => {
  test('is shown with a username that is not UTF-8, or not even text', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const [one, two, three] = [await addUser(site), await addUser(site), await addUser(site)]
    await site.database.run(`update auth_user set username = cast(x'6aff6be282' as text) where id = ${one};
      update auth_user set username = x'616263' where id = ${two};
      update auth_user set username = 'a' || char(0, 27) || 'b' where id = ${three}`)
    const names = (await expectShownAsListed(site)).map(({ username }) => username)
    expect(names).toEqual(['j\ufffdk\ufffd', 'abc', 'a\0\x1bb'])
  })
})
