import { beforeEach, expect, test } from 'vitest'
import { siteOf } from '../../../src/site/site.ts'
import { openArchive } from '../../../src/users/archive/open-archive.ts'
import { refuseWithoutRights } from '../../../src/users/restore/restore-rights.ts'
import { purgeInto, putBack } from '../../support/archives.ts'
import { NO_GUARDS } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, insert, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const user = 'integer references auth_user (id) deferrable initially deferred'
const TABLES = `
  create table task (id {key}, owner_id ${user}, reviewer_id ${user}, body text);
  create table draft (id {key}, editor_id ${user});`
const PURGE = {
  rules: { cascade: ['task.owner_id'], setNull: ['task.reviewer_id', 'draft.editor_id'] },
  guards: NO_GUARDS,
  size: 1,
}
const ALL_AT_ONCE = { ...PURGE, size: 10 }
const ROLE = `usermgmt_test_restorer_${process.pid}`
const ACCOUNTS = 'auth_user, account_emailaddress'

describeEachDatabase('the rights that restore needs', (harness) => {
  test('are there where nothing lacks', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', TABLES)
    await addUser(site)
    const { path } = await purgeInto(directory, site, PURGE)
    const archive = await openArchive(path)
    await refuseWithoutRights(site, archive).finally(() => archive.reader.close())
  })
})

describeDatabase('postgres', 'the rights that restore needs', (harness) => {
  /** The owner has a task, which the reviewer reviews; the editor has a draft; the last one has nothing. */
  async function purged(how = PURGE) {
    const site = await createSite(harness, 'django5.2-allauth65', TABLES)
    const [owner, reviewer] = [await addUser(site), await addUser(site)]
    const [editor, last] = [await addUser(site), await addUser(site)]
    await insert(site, 'task', { owner_id: owner, reviewer_id: reviewer, body: 'mine' })
    await insert(site, 'draft', { editor_id: editor })
    const before = await allRowsOf(site.db)
    const { path } = await purgeInto(directory, site, how)
    return { site, path, before, owner, reviewer, editor, last }
  }

  /** Hands over how the role with these rights is refused, undefined when it is not, and itself. */
  async function withRights(
    site: TestSite,
    path: string,
    rights: readonly string[],
    work: (refusal: (users?: string[]) => Promise<string | undefined>, own: TestSite) => Promise<void>,
  ): Promise<void> {
    const grants = rights.map((right) => `grant ${right} to ${ROLE};`)
    await site.database.run(`create role ${ROLE} login password 'for-tests-only'; ${grants.join(' ')}`)
    const url = new URL(site.url)
    url.username = ROLE
    url.password = 'for-tests-only'
    const db = await site.database.open({}, url.href)
    const archive = await openArchive(path)
    try {
      const own = { ...site, ...(await siteOf(db)) }
      const refusal = (users?: string[]) =>
        refuseWithoutRights(own, archive, users).then(
          () => undefined,
          ({ message }: Error) => message,
        )
      await work(refusal, own)
    } finally {
      await archive.reader.close()
      await db.close()
      await site.database.run(`drop owned by ${ROLE}; drop role ${ROLE}`)
    }
  }

  test('are UPDATE as well where a row comes back before what it refers to', async () => {
    const { site, path, before, owner, reviewer, editor, last } = await purged()
    const some = [`select, insert on ${ACCOUNTS}, task`, 'select, update on draft']
    await withRights(site, path, some, async (refusal) => {
      const denied = 'permission denied: UPDATE on task'
      expect(await refusal()).toBe(denied)
      expect(await refusal([owner])).toBe(denied)
      expect(await refusal([reviewer])).toBe(denied)
      expect(await refusal([editor, last])).toBeUndefined()
    })
    await withRights(site, path, [...some, 'update (reviewer_id) on task'], async (refusal, own) => {
      expect(await refusal()).toBeUndefined()
      expect((await putBack(own, path)).failed).toEqual([])
      expect(await allRowsOf(site.db)).toEqual(before)
    })
  })

  test('are UPDATE on the rows of others that refer to somebody who comes back', async () => {
    const { site, path, owner, reviewer, last } = await purged(ALL_AT_ONCE)
    await putBack(site, path, { users: [owner] })
    await withRights(site, path, [`select, insert on ${ACCOUNTS}, task, draft`], async (refusal) => {
      expect(await refusal([reviewer])).toBe('permission denied: UPDATE on task')
      expect(await refusal([last])).toBeUndefined()
    })
  })

  test('are not UPDATE where no row refers to anybody', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', TABLES)
    await insert(site, 'task', { owner_id: await addUser(site), reviewer_id: null, body: 'mine' })
    const { path } = await purgeInto(directory, site, PURGE)
    await withRights(site, path, [`select, insert on ${ACCOUNTS}, task`], async (refusal, own) => {
      expect(await refusal()).toBeUndefined()
      expect((await putBack(own, path)).failed).toEqual([])
    })
  })

  test.each([
    ['INSERT', 'select on task', 'insert (id, owner_id, reviewer_id) on task'],
    ['SELECT', 'select (id, owner_id) on task', 'insert on task'],
  ])('are %s on all columns', async (right, ...ofTask) => {
    const { site, path, owner, reviewer, editor } = await purged()
    const rights = [`select, insert on ${ACCOUNTS}`, 'select, update on draft', 'update on task', ...ofTask]
    await withRights(site, path, rights, async (refusal, own) => {
      const denied = `permission denied: ${right} on task`
      expect(await refusal()).toBe(denied)
      expect(await refusal([owner])).toBe(denied)
      // What is there is looked for among all rows of a batch.
      const others = [reviewer, editor]
      expect(await refusal(others)).toBe(right === 'SELECT' ? denied : undefined)
      if (right === 'INSERT') expect((await putBack(own, path, { users: others })).failed).toEqual([])
    })
  })

  test('are those on single columns where these are all', async () => {
    const { site, path, before } = await purged()
    const all = '(id, owner_id, reviewer_id, body)'
    const rights = [
      `select, insert on ${ACCOUNTS}`,
      'select, update (editor_id) on draft',
      `select ${all}, insert ${all}, update (reviewer_id) on task`,
    ]
    await withRights(site, path, rights, async (refusal, own) => {
      expect(await refusal()).toBeUndefined()
      expect((await putBack(own, path)).failed).toEqual([])
      expect(await allRowsOf(site.db)).toEqual(before)
    })
  })
})
