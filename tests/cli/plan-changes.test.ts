import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { insert, rowsOf, type TestSite } from '../support/sites.ts'
import { idsIn, plannedSite } from './planned-site.ts'

describeEachDatabase('what has changed since a plan was reviewed', (harness) => {
  test('leaves whoever would be deleted today and was not planned', async () => {
    const { site, run } = await plannedSite(harness)
    await site.database.run(`UPDATE auth_user SET last_login = NULL WHERE id = 6`)
    await run('purge --plan plan.ndjson --yes')
    expect(await idsIn(site)).toEqual(['1', '5', '6'])
  })

  test.each<[string, (site: TestSite) => Promise<unknown>]>([
    ['has another name', (site) => site.database.run(`UPDATE auth_user SET first_name = 'X' WHERE id = 3`)],
    [
      'has another address',
      (site) =>
        site.database.run(`UPDATE account_emailaddress SET email = 'new@mail.example' WHERE user_id = 3`),
    ],
    [
      'has one address more',
      (site) =>
        insert(site, 'account_emailaddress', {
          user_id: '3',
          email: 'more@mail.example',
          verified: false,
          primary: false,
        }),
    ],
    [
      'has logged in',
      (site) => site.database.run(`UPDATE auth_user SET last_login = '2025-06-14 08:00:00' WHERE id = 3`),
    ],
    [
      'is gone',
      (site) =>
        site.database.run(
          'DELETE FROM account_emailaddress WHERE user_id = 3; DELETE FROM auth_user WHERE id = 3',
        ),
    ],
  ])('keeps and reports whoever %s since', async (_, change) => {
    const { site, run } = await plannedSite(harness)
    await change(site)
    const before = await idsIn(site)
    const look = await run('purge --plan plan.ndjson --dry-run')
    expect(look.stdout).toMatch(/^2 users to delete, of 4 candidates\n/)
    expect(look.stdout).toContain('\n  1  changed  since the plan was made\n')
    const json = await run('purge --plan plan.ndjson --dry-run --format json')
    expect(JSON.parse(json.stdout)).toMatchObject({ to_delete: 2, changed: 1, tables: { auth_user: 2 } })
    expect(await idsIn(site)).toEqual(before)
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 2, changed: 1, failed: [] })
    expect(await idsIn(site)).toEqual(before.filter((id) => id !== '2' && id !== '4'))
  })

  test('takes nobody for changed whose addresses have only been written anew', async () => {
    const { site, run } = await plannedSite(harness)
    for (const email of ['1@mail.example', '2@mail.example']) {
      await insert(site, 'account_emailaddress', { user_id: '3', email, verified: false, primary: false })
    }
    await run('purge --since 2020-01-01 --plan-out plan.ndjson')
    const one = `account_emailaddress WHERE email = '1@mail.example'`
    await site.database.run(`CREATE TABLE aside AS SELECT * FROM ${one}; DELETE FROM ${one};
      INSERT INTO account_emailaddress SELECT * FROM aside; DROP TABLE aside`)
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 2, changed: 0 })
  })

  test('keeps whom a reference keeps that was, or is by now, in the configuration', async () => {
    const { site, cwd, run } = await plannedSite(harness)
    await site.database.run('create table invoice (user_id integer); insert into invoice values (3)')
    const config = join(cwd, 'usermgmt.config.json')
    const plan = 'purge --since 2020-01-01 --cascade blog_post --plan-out plan.ndjson --format json'
    expect(JSON.parse((await run(plan)).stdout)).toMatchObject({
      to_delete: 3,
      loose_references: ['invoice.user_id'],
    })
    const carryOut = 'purge --plan plan.ndjson --dry-run --format json'
    await writeFile(config, '{"references": ["invoice.user_id"]}')
    expect(JSON.parse((await run(carryOut)).stdout)).toMatchObject({ to_delete: 2, changed: 1 })
    expect(JSON.parse((await run(plan)).stdout)).toMatchObject({ to_delete: 2 })
    await writeFile(config, '{}')
    await site.database.run('insert into invoice values (4)')
    expect(JSON.parse((await run(carryOut)).stdout)).toMatchObject({ to_delete: 1, changed: 1 })
  })

  test('deletes what its own rules said against the configuration', async () => {
    const { cwd, run } = await plannedSite(harness)
    await writeFile(join(cwd, 'usermgmt.config.json'), '{"keep": ["blog_post"]}')
    await run('purge --since 2020-01-01 --cascade blog_post --plan-out plan.ndjson')
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 3, changed: 0 })
  })

  test('counts whom a guard keeps since as changed, and only so', async () => {
    const { site, run } = await plannedSite(harness)
    await site.database.run(`UPDATE auth_user SET is_staff = true WHERE id = 3`)
    const look = await run('purge --plan plan.ndjson --dry-run --format json')
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(look.stdout)).toMatchObject({ matched: 4, to_delete: 2, changed: 1 })
    expect(JSON.parse(stdout)).toMatchObject({ matched: 4, deleted: 2, changed: 1 })
    expect(JSON.parse(stdout).kept).toEqual(JSON.parse(look.stdout).kept)
  })

  test.each([
    ['NO ACTION', '--cascade *'],
    ['NO ACTION', '--set-null note.user_id'],
    ['CASCADE', ''],
    ['SET NULL', ''],
  ])('keeps who has rows since that nobody reviewed: ON DELETE %s %s', async (action, rule) => {
    const { site, run } = await plannedSite(harness)
    const reference = `user_id integer NULL REFERENCES auth_user (id) ON DELETE ${action}`
    await site.database.run(`CREATE TABLE note (id integer PRIMARY KEY, ${reference})`)
    await run(
      `purge --since 2020-01-01 --cascade blog_post ${rule} --plan-out plan.ndjson`.replace(/ +/g, ' '),
    )
    await site.database.run('INSERT INTO note VALUES (1, 3)')
    const look = await run('purge --plan plan.ndjson --dry-run --format json')
    expect(JSON.parse(look.stdout)).toMatchObject({ to_delete: 2, changed: 1, nulled: {} })
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 2, changed: 1, tables: { blog_post: 1 } })
    expect(await idsIn(site)).toEqual(['1', '3', '5', '6'])
    expect(await rowsOf(site.db, 'note')).toEqual([{ id: '1', user_id: '3' }])
  })

  test('keeps who has rows in a table that has come since', async () => {
    const { site, run } = await plannedSite(harness)
    await site.database.run(`CREATE TABLE note (id integer PRIMARY KEY,
      user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE); INSERT INTO note VALUES (1, 3)`)
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 2, changed: 1 })
    expect(await idsIn(site)).toEqual(['1', '3', '5', '6'])
  })

  test.each([
    ['another post', "INSERT INTO blog_post (title, author_id) VALUES ('Again', 2)"],
    ['a post that somebody else edits', "INSERT INTO blog_post (title, author_id) VALUES ('Hi', 3)"],
    ['a part in the post of somebody else', 'UPDATE blog_post SET editor_id = 4 WHERE author_id = 2'],
    ['a comment under the post', 'INSERT INTO comment VALUES (2, 1)'],
    [
      'added the address of somebody else',
      'UPDATE account_emailaddress SET added_by_id = 3 WHERE user_id = 6',
    ],
  ])('keeps who has %s since', async (_, change) => {
    const { site, run } = await plannedSite(harness)
    await site.database.run(`CREATE TABLE comment (id integer PRIMARY KEY,
      post_id integer NOT NULL REFERENCES blog_post (id)); INSERT INTO comment VALUES (1, 1);
      ALTER TABLE account_emailaddress ADD COLUMN added_by_id integer NULL REFERENCES auth_user (id)`)
    await run(
      'purge --since 2020-01-01 --cascade * --set-null account_emailaddress.added_by_id --plan-out plan.ndjson',
    )
    await site.database.run(change)
    const look = await run('purge --plan plan.ndjson --dry-run --format json')
    expect(JSON.parse(look.stdout)).toMatchObject({ to_delete: 2, changed: 1 })
    const before = await rowsOf(site.db, 'blog_post')
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 2, changed: 1 })
    const left = await idsIn(site)
    expect(left).toHaveLength(4)
    expect(await rowsOf(site.db, 'blog_post')).toEqual(
      before.filter(({ author_id }) => left.includes(author_id)),
    )
  })

  test('deletes whoever has fewer rows than were reviewed, and whoever others have lost', async () => {
    const { site, run } = await plannedSite(harness)
    await insert(site, 'blog_post', { title: 'Again', author_id: 2, editor_id: 3 })
    await run('purge --since 2020-01-01 --cascade * --plan-out plan.ndjson')
    await site.database.run("DELETE FROM blog_post WHERE title = 'Hello'")
    const { stdout } = await run('purge --plan plan.ndjson --batch-size 1 --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 3, changed: 0, tables: { blog_post: 1 } })
  })

  test('keeps whoever has come onto the protect list of the configuration since', async () => {
    const { site, cwd, run } = await plannedSite(harness)
    await writeFile(join(cwd, 'usermgmt.config.json'), '{"protect": ["xqzv81"]}')
    await run('purge --plan plan.ndjson --yes')
    expect(await idsIn(site)).toEqual(['1', '4', '5', '6'])
  })

  test('keeps whom tables keep by now that the configuration names', async () => {
    const { site, cwd, run } = await plannedSite(harness)
    await run('purge --since 2020-01-01 --cascade * --plan-out all.ndjson')
    await writeFile(join(cwd, 'usermgmt.config.json'), '{"keep": ["blog_post"]}')
    await run('purge --plan all.ndjson --yes')
    expect(await idsIn(site)).toEqual(['1', '2', '5', '6'])
  })

  test('counts for --max-delete with those who can still be deleted', async () => {
    const { site, run } = await plannedSite(harness)
    await site.database.run(`UPDATE auth_user SET first_name = 'X' WHERE id IN (3, 4)`)
    const { exit, stdout } = await run('purge --plan plan.ndjson --yes --max-delete 1 --format json')
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 1, changed: 2 })
    expect(await idsIn(site)).toEqual(['1', '3', '4', '5', '6'])
  })

  test('of whom nobody is as planned any more says so, also to cron', async () => {
    const { site, run } = await plannedSite(harness)
    await site.database.run(`UPDATE auth_user SET first_name = 'X'`)
    const { exit, stdout } = await run('purge --plan plan.ndjson --yes --quiet')
    expect(exit).toBe(0)
    expect(stdout).toMatch(/^0 users deleted, of 4 candidates\n/)
    expect(stdout).toContain('\n  3  changed  since the plan was made\n')
    expect(await idsIn(site)).toHaveLength(6)
  })
})
