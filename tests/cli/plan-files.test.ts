import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { plannedUsers } from '../../src/users/purge/plan-reader.ts'
import { describeDatabase, describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { allRowsOf, insert, rowsOf, siteInSchema, type TestSite } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

let directory: string
withDirectory(beforeAll, (path) => {
  directory = path
})

describeEachDatabase('a reviewed plan', (harness) => {
  /** Plans that the users 2, 3 and 4 go, and returns what runs commands where the plan is. */
  async function planned() {
    const site = await exampleSite(harness)
    const cwd = await mkdtemp(join(directory, 'here-'))
    const run = (args: string) => usermgmt(args.split(' '), { env: { DATABASE_URL: site.url }, cwd })
    const before = await allRowsOf(site.db)
    const made = await run('purge --since 2020-01-01 --cascade blog_post --plan-out plan.ndjson')
    expect(await allRowsOf(site.db)).toEqual(before)
    return { site, cwd, run, made, file: join(cwd, 'plan.ndjson'), before }
  }

  async function idsIn(site: TestSite): Promise<unknown[]> {
    return (await rowsOf(site.db, 'auth_user')).map((user) => user.id)
  }

  test('is shown, and written for its owner only', async () => {
    const { made, file } = await planned()
    expect(made).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^3 users to delete, of 4 candidates\n/),
    })
    expect(made.stderr).toContain(`to delete exactly these: usermgmt purge --plan ${file}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const [header = '', ...users] = (await readFile(file, 'utf8')).trimEnd().split('\n')
    expect(JSON.parse(header)).toMatchObject({
      plan: 1,
      made: '2025-06-15T12:00:00Z',
      criteria: { selection: { cutoff: '2020-01-01T00:00:00Z' }, rules: [{ cascade: ['blog_post'] }, {}] },
      counts: { matched: 4, toDelete: 3, tables: { auth_user: 3, account_emailaddress: 3, blog_post: 1 } },
    })
    const fingerprint = expect.stringMatching(/^[\w-]{22}$/)
    expect(users.map((line) => JSON.parse(line))).toEqual([
      ['2', fingerprint, { 'blog_post.author_id': 1 }],
      ['3', fingerprint],
      ['4', fingerprint],
    ])
  })

  test.each([
    ['--no-archive', '--no-archive'],
    ['--archive kept', '--archive HERE/kept'],
    ['--max-delete 4', '--max-delete 4'],
    // The number that the warning before it names.
    ['--max-delete 2', '--max-delete 3'],
  ])('says how to carry it out as it was made, with %s', async (given, repeated) => {
    const { run, file, cwd } = await planned()
    const { stderr } = await run(
      `purge --since 2020-01-01 --cascade blog_post --plan-out plan.ndjson ${given}`,
    )
    const more = repeated.replace('HERE', cwd)
    expect(stderr).toContain(`to delete exactly these: usermgmt purge --plan ${file} ${more}\n`)
  })

  test('ends in an error where it has become shorter while it was carried out', async () => {
    const { file } = await planned()
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.trimEnd().split('\n').slice(0, -1).join('\n'))
    const users = plannedUsers(file, 1)
    expect((await users.next()).value).toMatchObject([{ key: '2' }])
    expect((await users.next()).value).toMatchObject([{ key: '3' }])
    await expect(users.next()).rejects.toThrow('holds 2 of the 3 users that it says')
    await writeFile(file, '')
    await expect(plannedUsers(file, 1).next()).rejects.toThrow('is empty')
  })

  test('deletes exactly those, by its own rules', async () => {
    const { site, run } = await planned()
    const { exit, stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      since: '2020-01-01T00:00:00Z',
      deleted: 3,
      changed: 0,
      tables: { auth_user: 3, account_emailaddress: 3, blog_post: 1 },
    })
    expect(await idsIn(site)).toEqual(['1', '5', '6'])
  })

  test.each(['--user anna', '--limit 1'])('made with %s deletes one, and names nobody', async (option) => {
    const { run, file } = await planned()
    await run(`purge --since 2020-01-01 --cascade blog_post ${option} --plan-out plan.ndjson`)
    expect(await readFile(file, 'utf8')).not.toContain('anna')
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 1, changed: 0 })
  })

  test('leaves whoever would be deleted today and was not planned', async () => {
    const { site, run } = await planned()
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
    const { site, run } = await planned()
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
    const { site, run } = await planned()
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
    const { site, cwd, run } = await planned()
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
    const { cwd, run } = await planned()
    await writeFile(join(cwd, 'usermgmt.config.json'), '{"keep": ["blog_post"]}')
    await run('purge --since 2020-01-01 --cascade blog_post --plan-out plan.ndjson')
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 3, changed: 0 })
  })

  test('counts whom a guard keeps since as changed, and only so', async () => {
    const { site, run } = await planned()
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
    const { site, run } = await planned()
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
    const { site, run } = await planned()
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
    const { site, run } = await planned()
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
    const { site, run } = await planned()
    await insert(site, 'blog_post', { title: 'Again', author_id: 2, editor_id: 3 })
    await run('purge --since 2020-01-01 --cascade * --plan-out plan.ndjson')
    await site.database.run("DELETE FROM blog_post WHERE title = 'Hello'")
    const { stdout } = await run('purge --plan plan.ndjson --batch-size 1 --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 3, changed: 0, tables: { blog_post: 1 } })
  })

  test('keeps whoever has come onto the protect list of the configuration since', async () => {
    const { site, cwd, run } = await planned()
    await writeFile(join(cwd, 'usermgmt.config.json'), '{"protect": ["xqzv81"]}')
    await run('purge --plan plan.ndjson --yes')
    expect(await idsIn(site)).toEqual(['1', '4', '5', '6'])
  })

  test('keeps whom tables keep by now that the configuration names', async () => {
    const { site, cwd, run } = await planned()
    await run('purge --since 2020-01-01 --cascade * --plan-out all.ndjson')
    await writeFile(join(cwd, 'usermgmt.config.json'), '{"keep": ["blog_post"]}')
    await run('purge --plan all.ndjson --yes')
    expect(await idsIn(site)).toEqual(['1', '2', '5', '6'])
  })

  test('counts for --max-delete with those who can still be deleted', async () => {
    const { site, run } = await planned()
    await site.database.run(`UPDATE auth_user SET first_name = 'X' WHERE id IN (3, 4)`)
    const { exit, stdout } = await run('purge --plan plan.ndjson --yes --max-delete 1 --format json')
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 1, changed: 2 })
    expect(await idsIn(site)).toEqual(['1', '3', '4', '5', '6'])
  })

  test('of whom nobody is as planned any more says so, also to cron', async () => {
    const { site, run } = await planned()
    await site.database.run(`UPDATE auth_user SET first_name = 'X'`)
    const { exit, stdout } = await run('purge --plan plan.ndjson --yes --quiet')
    expect(exit).toBe(0)
    expect(stdout).toMatch(/^0 users deleted, of 4 candidates\n/)
    expect(stdout).toContain('\n  3  changed  since the plan was made\n')
    expect(await idsIn(site)).toHaveLength(6)
  })

  test('is held to --max-delete', async () => {
    const { site, run, before } = await planned()
    expect(await run('purge --plan plan.ndjson --yes --max-delete 2')).toMatchObject({ exit: 3, stdout: '' })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  describe('is refused', () => {
    test.each([
      '--since 2019-01-01',
      '--never-logged-in',
      '--user 3',
      '--limit 1',
      '--grace 0',
      '--include staff',
      '--protect 3',
      '--cascade blog_post',
      '--set-null blog_post.editor_id',
      '--plan-out other',
    ])('together with %s', async (option) => {
      const { run } = await planned()
      expect(await run(`purge --plan plan.ndjson ${option}`)).toMatchObject({
        exit: 2,
        stdout: '',
        stderr: expect.stringMatching(/^usermgmt: option '--plan <file>' cannot be used with option '--/),
      })
    })

    test.each<[string, (text: string) => string, string]>([
      [
        'with a line missing',
        (text) => text.trimEnd().split('\n').slice(0, -1).join('\n'),
        'holds 2 of the 3 users that it says: it is not the plan that was made',
      ],
      [
        'with a user in it twice',
        (text) => text.replace(/^(\[.*\n)\[.*\n/m, '$1$1'),
        'holds a user twice: .*',
      ],
      ['cut within a line', (text) => text.slice(0, -10), 'holds a line that is no user: .*'],
      [
        'of a later version',
        (text) => text.replace('"plan":1', '"plan":9'),
        'is not a plan that this version reads',
      ],
      [
        'without its numbers',
        (text) => text.replace(/"counts":\{.*\}(?=\}\n)/, '"counts":{}'),
        'is not a plan that this version reads',
      ],
      ['with nothing but a number', () => '{"plan":1}\n', 'is not a plan that this version reads'],
      [
        'without its criteria',
        (text) => text.replace('"criteria"', '"others"'),
        'is not a plan that this version reads',
      ],
      [
        'with a condition that it does not know',
        (text) => text.replace('"guards":{', '"guards":{"keepAnna":true,'),
        'is not a plan that this version reads',
      ],
      [
        'with a filter that it does not know',
        (text) => text.replace('"selection":{', '"selection":{"onlyAnna":true,'),
        'is not a plan that this version reads',
      ],
      [
        'with further criteria',
        (text) => text.replace('"criteria":{', '"criteria":{"onlyAnna":true,'),
        'is not a plan that this version reads',
      ],
      [
        'with a rule that it does not know',
        (text) => text.replace('"rules":[{', '"rules":[{"onlyAnna":[],'),
        'is not a plan that this version reads',
      ],
      [
        'with a date that is none',
        (text) => text.replace('"cutoff":"2020', '"cutoff":"twenty'),
        'is not a plan that this version reads',
      ],
      [
        'of lines that are no users',
        (text) => text.replaceAll(/^\[.*$/gm, '5'),
        'holds a line that is no user: .*',
      ],
      ['when it is an archive', () => '\u001f\u008b\b\u0000\n', 'is not a plan that this version reads'],
      ['when it is something else', () => 'hello\n', 'is not a plan that this version reads'],
      ['when it is empty', () => '', 'is empty: .*'],
    ])('%s', async (_, damage, message) => {
      const { site, file, run, before } = await planned()
      await writeFile(file, damage(await readFile(file, 'utf8')))
      const ran = await run('purge --plan plan.ndjson --yes')
      expect(ran).toMatchObject({ exit: 1, stdout: '' })
      expect(ran.stderr).toMatch(new RegExp(`^usermgmt: .*plan.ndjson ${message}; .*\n$`))
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test('on another database', async () => {
      const { cwd } = await planned()
      const other = await exampleSite(harness)
      const args = ['purge', '--plan', 'plan.ndjson', '--yes', '--database', other.url]
      expect(await usermgmt(args, { cwd })).toMatchObject({
        exit: 3,
        stderr: expect.stringMatching(/^usermgmt: the plan was made for another database: /),
      })
      expect(await idsIn(other)).toHaveLength(6)
    })

    test('when it is a pipe: it is read more than once', async () => {
      const { site, cwd, run, before } = await planned()
      execFileSync('mkfifo', [join(cwd, 'pipe')])
      expect(await run('purge --plan pipe --yes')).toMatchObject({
        exit: 1,
        stdout: '',
        stderr: expect.stringMatching(/^usermgmt: \S+pipe is no regular file; .*\n$/),
      })
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test('when there is none', async () => {
      const { run } = await planned()
      expect((await run('purge --plan plans.ndjson --yes')).stderr).toMatch(
        /^usermgmt: the plan .* cannot be read: there is no such file or directory\n$/,
      )
    })
  })

  test('is written over an older one', async () => {
    const { run, file } = await planned()
    const before = await readFile(file, 'utf8')
    expect(await run('purge --since 2020-01-01 --plan-out plan.ndjson')).toMatchObject({ exit: 0 })
    expect(await readFile(file, 'utf8')).not.toBe(before)
  })

  test('is written into an empty file', async () => {
    const { cwd, run } = await planned()
    await writeFile(join(cwd, 'empty'), '')
    expect(await run('purge --since 2020-01-01 --plan-out empty')).toMatchObject({ exit: 0 })
  })

  test.each<[string, string]>([
    ['some notes', 'remember me'],
    ['JSON', '{"usermgmt":"0.1.0"}'],
  ])('is not written over %s', async (_, content) => {
    const { cwd, run } = await planned()
    const notes = join(cwd, 'notes')
    await writeFile(notes, content)
    expect(await run('purge --since 2020-01-01 --plan-out notes')).toMatchObject({
      exit: 3,
      stdout: '',
      stderr: expect.stringMatching(/^usermgmt: .*notes is there already, and is no plan; .*\n$/),
    })
    expect(await readFile(notes, 'utf8')).toBe(content)
  })

  test('is not written over a symbolic link, even to an older one', async () => {
    const { cwd, run, file } = await planned()
    const before = await readFile(file, 'utf8')
    await symlink(file, join(cwd, 'link'))
    expect(await run('purge --since 2020-01-01 --plan-out link')).toMatchObject({
      exit: 3,
      stdout: '',
      stderr: expect.stringMatching(/^usermgmt: \S+link is a symbolic link; .*\n$/),
    })
    expect(await readFile(file, 'utf8')).toBe(before)
  })

  test.each(['.', '/dev/null'])('is not written over %s, which is no file', async (place) => {
    const { run } = await planned()
    expect(await run(`purge --since 2020-01-01 --plan-out ${place}`)).toMatchObject({ exit: 3, stdout: '' })
  })

  test('that cannot be written leaves nothing', async () => {
    const { run } = await planned()
    expect(await run('purge --since 2020-01-01 --plan-out nowhere/plan.ndjson')).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: expect.stringMatching(/cannot be written: there is no such file or directory; .*\n$/),
    })
  })
})

describeDatabase('postgres', 'the plan of one tenant', (harness) => {
  test('deletes nobody in the schema of another', async () => {
    const site = await siteInSchema(harness, 'django5.2-allauth65', { schema: 'one' })
    await addUser(site)
    // The same users: nothing but the schema tells them apart.
    await site.database.run(`create schema two;
      create table two.auth_user as table one.auth_user; alter table two.auth_user add primary key (id);
      create table two.account_emailaddress as table one.account_emailaddress;
      alter table two.account_emailaddress add foreign key (user_id) references two.auth_user (id)`)
    const cwd = await mkdtemp(join(directory, 'tenants-'))
    const run = (args: string, url: string) => usermgmt(args.split(' '), { env: { DATABASE_URL: url }, cwd })
    expect(await run('purge --since 2020-01-01 --plan-out plan', site.url)).toMatchObject({ exit: 0 })
    for (const way of ['--yes', '--dry-run']) {
      const elsewhere = await run(`purge --plan plan ${way}`, site.url.replace('%3Done', '%3Dtwo'))
      expect(elsewhere).toMatchObject({ exit: 3, stdout: '' })
      expect(elsewhere.stderr).toMatch(
        /^usermgmt: the plan was made for another database: .* \(schema one\); this one is .* \(schema two\): /,
      )
    }
    const { stdout } = await run('purge --plan plan --yes --max-delete 100% --format json', site.url)
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 1 })
  })
})
