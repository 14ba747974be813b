import { expect, test } from 'vitest'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
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
})
