import { migrate } from '../../src/site/migrate.ts'
import type { Harness } from './databases.ts'
import { siteIn, type TestSite } from './sites.ts'

/** Fills a site with so many candidates, each with one address, by two statements. */
export async function addCrowd(site: TestSite, users: number): Promise<void> {
  await site.database.run(`
    INSERT INTO auth_user (id, username, email, password, first_name, last_name, is_active, is_staff, is_superuser, date_joined)
      ${rows(users, `i, 'user' || i, '', '', '', '', true, false, false, '2019-01-01 00:00:00'`)};
    INSERT INTO account_emailaddress (email, verified, "primary", user_id)
      ${rows(users, `'user' || i || '@example.com', false, true, i`)};`)
}

function rows(number: number, values: string): string {
  return `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${number}) SELECT ${values} FROM n`
}

const TABLES = `
  create table blog_profile (user_id integer primary key references auth_user (id) deferrable initially deferred, bio text);
  create table blog_post (id {key}, title text not null,
    editor_id integer references auth_user (id) deferrable initially deferred);
  create index blog_post_editor_id on blog_post (editor_id);`

/** Where there is a row for each user, and the column that names the user. */
export const CROWD_PARTS: Readonly<Record<string, string>> = {
  auth_user: 'id',
  account_emailaddress: 'user_id',
  auth_user_groups: 'user_id',
  blog_profile: 'user_id',
  blog_post: 'editor_id',
}

/**
 * A site with the ledger, and with so many candidates. Each has an address, a profile and a group, which go with the
 * user, and a post, which loses its reference. Asked again, a copy.
 */
export async function crowdedSite(harness: Harness, users: number): Promise<TestSite> {
  const database = await harness.prepared(`crowd of ${users}`, async (empty) => {
    await migrate(empty.db)
    await empty.run(TABLES)
    await addCrowd(await siteIn(empty), users)
    await empty.run(`
      insert into auth_group (id, name) values (1, 'newcomers');
      insert into auth_user_groups (user_id, group_id) ${rows(users, 'i, 1')};
      insert into blog_profile (user_id, bio) ${rows(users, `i, 'about ' || i`)};
      insert into blog_post (title, editor_id) ${rows(users, `'post ' || i, i`)};
      analyze`)
  })
  return siteIn(database)
}

/** Returns the arguments of a purge of all users of a `crowdedSite`, with everything they have. */
export function crowdPurge(url: string, archive: string, ...more: string[]): string[] {
  const selection = ['--since', '2020-01-01', '--max-delete', '100%', '--yes']
  const rules = ['--cascade', 'blog_profile', '--set-null', 'blog_post.editor_id']
  return ['purge', '--database', url, ...selection, ...rules, '--archive', archive, ...more]
}
