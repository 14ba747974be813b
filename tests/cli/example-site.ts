import type { Harness } from '../support/databases.ts'
import { createSite, insert, type TestSite } from '../support/sites.ts'
import { addUser } from '../support/users.ts'

/** A small site with one of each, for the commands to work on and for the examples in the help. Ids 1 to 6. */
export async function exampleSite(harness: Harness): Promise<TestSite> {
  const site = await createSite(
    harness,
    'django5.2-allauth65',
    `CREATE TABLE blog_post (
      id {key},
      title varchar(80) NOT NULL,
      author_id integer NOT NULL REFERENCES auth_user (id),
      editor_id integer NULL REFERENCES auth_user (id)
    );
    CREATE INDEX blog_post_author ON blog_post (author_id);
    CREATE INDEX blog_post_editor ON blog_post (editor_id);`,
  )
  const joined = '2019-05-01T10:00:00Z'
  await addUser(site, {
    username: 'root',
    isStaff: true,
    isSuperuser: true,
    lastLogin: '2019-06-01T08:00:00Z',
  })
  const anna = await addUser(site, {
    username: 'anna',
    dateJoined: joined,
    lastLogin: '2019-05-02T09:30:00.250000Z',
  })
  await addUser(site, {
    username: 'win-a-prize',
    email: 'x81@mail.example',
    dateJoined: '2019-11-20T03:12:45Z',
  })
  await addUser(site, {
    username: 'xqzv81',
    email: 'x82@mail.example',
    dateJoined: '2019-11-20T03:12:46Z',
  })
  await addUser(site, { username: 'ben', addresses: [{ email: 'ben@example.com', verified: true }] })
  await addUser(site, { username: 'cleo', lastLogin: '2025-06-01T12:00:00Z' })
  await insert(site, 'blog_post', { title: 'Hello', author_id: anna })
  return site
}
