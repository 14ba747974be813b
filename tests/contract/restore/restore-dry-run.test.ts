import { beforeEach, expect, test } from 'vitest'
import { purgeInto, putBack } from '../../support/archives.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, insert, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const BLOG = (deferrable: string) => `
  create table topic (id {key}, name text);
  create table post (id {key}, author_id integer references auth_user (id) ${deferrable},
    editor_id integer references auth_user (id) ${deferrable}, topic_id integer references topic (id) ${deferrable});
  create index post_author on post (author_id);
  create index post_editor on post (editor_id);
  create table remark (id {key}, author_id integer references auth_user (id) ${deferrable},
    post_id integer references post (id) ${deferrable});
  create index remark_author on remark (author_id);
  create index remark_post on remark (post_id);`

const RULES = { cascade: ['post.author_id', 'remark'], setNull: ['post.editor_id'] }

describeEachDatabase('a dry run of a restoration', (harness) => {
  const siteWith = (deferrable: string) => createSite(harness, 'django5.2-allauth65', BLOG(deferrable))

  /** Returns what both report, which is the same. */
  async function foretold(site: TestSite, path: string, users?: readonly string[]) {
    const before = await allRowsOf(site.db)
    const planned = await putBack(site, path, { users, dryRun: true })
    expect(await allRowsOf(site.db)).toEqual(before)
    expect(planned).toEqual(await putBack(site, path, { users }))
    return planned
  }

  test.each(['', 'deferrable initially deferred'])(
    'sees the rows of batches before it, with foreign keys %j',
    async (deferrable) => {
      const site = await siteWith(deferrable)
      const [first, second] = [await addUser(site), await addUser(site)]
      const post = await insert(site, 'post', { author_id: second, editor_id: first })
      await insert(site, 'remark', { author_id: first, post_id: post })
      const before = await allRowsOf(site.db)
      const { path } = await purgeInto(directory, site, { rules: RULES, size: 1 })
      expect(await foretold(site, path)).toMatchObject({
        restored: { auth_user: 2, post: 1, remark: 1 },
        relinked: { post: 1 },
        failed: [],
      })
      expect(await allRowsOf(site.db)).toEqual(before)
    },
  )

  test.each(['', 'deferrable initially deferred'])(
    'misses a row that is gone and in no archive, with foreign keys %j',
    async (deferrable) => {
      const site = await siteWith(deferrable)
      const [first, second] = [await addUser(site), await addUser(site)]
      const topic = await insert(site, 'topic', { name: 'gone' })
      await insert(site, 'post', { author_id: first, topic_id: topic })
      await insert(site, 'post', {
        author_id: second,
        topic_id: await insert(site, 'topic', { name: 'stays' }),
      })
      const { path } = await purgeInto(directory, site, { rules: RULES })
      await site.database.run(`delete from topic where id = ${topic}`)
      expect(await foretold(site, path)).toMatchObject({
        restored: { auth_user: 2, post: 1 },
        failed: [{ user: first, table: 'post', reason: 'a row it depends on is not there: topic' }],
      })
    },
  )

  test('misses what belongs to users who stay in the archive', async () => {
    const site = await siteWith('deferrable initially deferred')
    const [first, second] = [await addUser(site), await addUser(site)]
    const post = await insert(site, 'post', { author_id: second })
    await insert(site, 'remark', { author_id: first, post_id: post })
    const { path } = await purgeInto(directory, site, { rules: RULES, size: 1 })
    expect(await foretold(site, path, [first])).toMatchObject({
      restored: { auth_user: 1, account_emailaddress: 1 },
      failed: [{ user: first, table: 'remark', reason: 'a row it depends on is not there: post' }],
    })
  })

  test('lets others write between two batches when nothing is amiss', async () => {
    const site = await siteWith('deferrable initially deferred')
    for (let i = 0; i < 3; i++) await addUser(site)
    const { path } = await purgeInto(directory, site, { size: 1 })
    const modes: string[] = []
    const { db } = site
    const watched = {
      ...db,
      transaction: ((mode, work) => {
        modes.push(mode)
        return db.transaction(mode, work)
      }) as typeof db.transaction,
    }
    expect(await putBack({ ...site, db: watched }, path, { dryRun: true })).toMatchObject({ failed: [] })
    expect(modes).toEqual(['write', 'write', 'write'])
  })
})
