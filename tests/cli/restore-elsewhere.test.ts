import { readdir } from 'node:fs/promises'
import { beforeEach, expect, test } from 'vitest'
import { describeDatabase, describeEachDatabase, type Harness } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { allRowsOf, createSite, rowsOf, type TestSite } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { usermgmt } from './run.ts'

let cwd: string
withDirectory(beforeEach, (path) => {
  cwd = path
})

/** An archive of three users, and a site that has never had any. */
async function archiveAndFreshSite(harness: Harness) {
  const first = await createSite(harness, 'django5.2-allauth65')
  for (let i = 0; i < 3; i++) await addUser(first)
  const before = await allRowsOf(first.db)
  const purge = 'purge --since 2020-01-01 --yes --quiet --max-delete 100% --archive .'
  expect(await usermgmt(purge.split(' '), { cwd, env: { DATABASE_URL: first.url } })).toMatchObject({
    exit: 0,
  })
  const [file = ''] = await readdir(cwd)
  const fresh = await createSite(harness, 'django5.2-allauth65')
  const restore = (url = fresh.url, options = '--yes --any-database') =>
    usermgmt(`restore ${file} ${options}`.split(' '), { cwd, env: { DATABASE_URL: url } })
  return { before, fresh, restore }
}

const newestId = async (site: TestSite) => Number((await rowsOf(site.db, 'auth_user')).at(-1)?.id)

describeEachDatabase('restore into another database', (harness) => {
  test('leaves it to number its next rows behind those that are back', async () => {
    const { before, fresh, restore } = await archiveAndFreshSite(harness)
    expect(await restore()).toMatchObject({ exit: 0, stderr: '' })
    expect(await allRowsOf(fresh.db)).toEqual(before)
    await addUser(fresh)
    expect(await newestId(fresh)).toBe(4)
  })

  test('a second time takes no number', async () => {
    const { fresh, restore } = await archiveAndFreshSite(harness)
    for (let user = 0; user < 5; user++) await addUser(fresh)
    await fresh.database.run('delete from account_emailaddress; delete from auth_user')
    for (let time = 0; time < 2; time++) expect(await restore()).toMatchObject({ exit: 0 })
    await addUser(fresh)
    expect(await newestId(fresh)).toBe(6)
  })
})

describeDatabase('postgres', 'restore into another database', (harness) => {
  test('a dry run takes no number', async () => {
    const { fresh, restore } = await archiveAndFreshSite(harness)
    expect(await restore(fresh.url, '--dry-run --any-database')).toMatchObject({ exit: 0 })
    await addUser(fresh)
    expect(await newestId(fresh)).toBe(1)
  })

  test('says which table will number its rows wrongly when the role may not see to it', async () => {
    const { fresh, restore } = await archiveAndFreshSite(harness)
    const role = `usermgmt_test_numberer_${process.pid}`
    await fresh.database.run(`create role ${role} login password 'for-tests-only';
      grant select, insert, update on auth_user, account_emailaddress to ${role};
      grant usage on sequence auth_user_id_seq to ${role}`)
    const url = new URL(fresh.url)
    url.username = role
    url.password = 'for-tests-only'
    try {
      expect(await restore(url.href)).toMatchObject({
        exit: 0,
        stdout: expect.stringMatching(/^6 rows put back/),
        stderr:
          'warning: a new row of auth_user may get an id that is back; as the owner of the table, run what manage.py sqlsequencereset prints\n',
      })
    } finally {
      await fresh.database.run(`drop owned by ${role}; drop role ${role}`)
    }
  })
})
