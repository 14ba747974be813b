import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { freezePlan, planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import type { PlannedBatch } from '../../../src/users/recheck.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase } from '../../support/databases.ts'
import { createSite, insert, rowsOf } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'
import { untilSomebodyWaits } from '../../support/waiting.ts'

/** Deleting comments takes a moment: that leaves time to write one before its post goes. */
const TABLES = `
  create table blog_post (id {key}, author_id integer not null references auth_user (id) on delete cascade);
  create table blog_comment (id {key}, post_id integer not null references blog_post (id) on delete cascade);
  create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(0.5); return null; end';
  create trigger linger before delete on blog_comment for each statement execute function linger();`

describeDatabase('postgres', 'a row that comes under another one that is being deleted', (harness) => {
  test('is refused: the database must not take it along unseen', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', TABLES)
    const author = await addUser(site)
    const post = await insert(site, 'blog_post', { author_id: author })
    await insert(site, 'blog_comment', { post_id: post })
    const plan = await planPurge(site, criteria(), { batchSize: 10 })
    const purged = purge(site, criteria(), plan)
    const visitor = await site.database.connect()
    await untilSomebodyWaits(visitor, 'sleep')
    await expect(visitor.rows(`insert into blog_comment (post_id) values (${post})`)).rejects.toMatchObject({
      code: '23503',
    })
    expect(await purged).toMatchObject({ deleted: 1, tables: { blog_comment: 1, blog_post: 1 } })
    expect(await rowsOf(site.db, 'blog_comment')).toEqual([])
  })
  test.each(['cascade', 'set null'])(
    'keeps the user where it is to be kept: on delete %s',
    async (action) => {
      const site = await createSite(
        harness,
        'django5.2-allauth65',
        `create table blog_post (id {key}, author_id integer not null references auth_user (id) on delete cascade);
        create table blog_comment (id {key}, post_id integer references blog_post (id) on delete ${action});
        create function look() returns trigger language plpgsql as 'begin return null; end';
        create trigger look after delete on blog_post for each row execute function look();`,
      )
      const post = await insert(site, 'blog_post', { author_id: await addUser(site) })
      const keeping = criteria({ rules: { keep: ['blog_comment'] } })
      const plan = await planPurge(site, keeping, { batchSize: 10 })
      const visitor = await site.database.connect()
      await visitor.run(`begin; insert into blog_comment (post_id) values (${post})`)
      const purged = purge(site, keeping, plan)
      await untilSomebodyWaits(visitor, 'lock')
      await visitor.run('commit')
      expect(await purged).toMatchObject({ deleted: 0, kept: { content: 1 } })
      expect(await rowsOf(site.db, 'blog_comment')).toMatchObject([{ post_id: post }])
    },
  )

  test('keeps the user of a reviewed plan, whatever the database would do', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table blog_post (id {key}, author_id integer not null references auth_user (id));
        create table blog_comment (id {key}, post_id integer not null references blog_post (id));`,
    )
    const post = await insert(site, 'blog_post', { author_id: await addUser(site) })
    const cascading = criteria({ rules: { cascade: ['blog_post', 'blog_comment'] } })
    const reviewed: PlannedBatch[] = []
    const plan = await freezePlan(site, cascading, 10, async () => async (batch) => void reviewed.push(batch))
    const visitor = await site.database.connect()
    await visitor.run(`begin; insert into blog_comment (post_id) values (${post})`)
    const purged = purge(site, cascading, plan, { batches: Readable.from(reviewed) })
    await untilSomebodyWaits(visitor, 'lock')
    await visitor.run('commit')
    expect(await purged).toMatchObject({ deleted: 0, changed: 1 })
    expect(await rowsOf(site.db, 'blog_comment')).toMatchObject([{ post_id: post }])
  })
})
