import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { plannedUsers } from '../../src/users/purge/plan-reader.ts'
import { describeDatabase, describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { allRowsOf, siteInSchema } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { exampleSite } from './example-site.ts'
import { idsIn, plannedSite } from './planned-site.ts'
import { usermgmt } from './run.ts'

let directory: string
withDirectory(beforeAll, (path) => {
  directory = path
})

describeEachDatabase('a reviewed plan', (harness) => {
  test('is shown, and written for its owner only', async () => {
    const { made, file } = await plannedSite(harness)
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
    const { run, file, cwd } = await plannedSite(harness)
    const { stderr } = await run(
      `purge --since 2020-01-01 --cascade blog_post --plan-out plan.ndjson ${given}`,
    )
    const more = repeated.replace('HERE', cwd)
    expect(stderr).toContain(`to delete exactly these: usermgmt purge --plan ${file} ${more}\n`)
  })

  test('ends in an error where it has become shorter while it was carried out', async () => {
    const { file } = await plannedSite(harness)
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
    const { site, run } = await plannedSite(harness)
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
    const { run, file } = await plannedSite(harness)
    await run(`purge --since 2020-01-01 --cascade blog_post ${option} --plan-out plan.ndjson`)
    expect(await readFile(file, 'utf8')).not.toContain('anna')
    const { stdout } = await run('purge --plan plan.ndjson --yes --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 1, changed: 0 })
  })

  test('is held to --max-delete', async () => {
    const { site, run, before } = await plannedSite(harness)
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
      const { run } = await plannedSite(harness)
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
      const { site, file, run, before } = await plannedSite(harness)
      await writeFile(file, damage(await readFile(file, 'utf8')))
      const ran = await run('purge --plan plan.ndjson --yes')
      expect(ran).toMatchObject({ exit: 1, stdout: '' })
      expect(ran.stderr).toMatch(new RegExp(`^usermgmt: .*plan.ndjson ${message}; .*\n$`))
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test('on another database', async () => {
      const { cwd } = await plannedSite(harness)
      const other = await exampleSite(harness)
      const args = ['purge', '--plan', 'plan.ndjson', '--yes', '--database', other.url]
      expect(await usermgmt(args, { cwd })).toMatchObject({
        exit: 3,
        stderr: expect.stringMatching(/^usermgmt: the plan was made for another database: /),
      })
      expect(await idsIn(other)).toHaveLength(6)
    })

    test('when it is a pipe: it is read more than once', async () => {
      const { site, cwd, run, before } = await plannedSite(harness)
      execFileSync('mkfifo', [join(cwd, 'pipe')])
      expect(await run('purge --plan pipe --yes')).toMatchObject({
        exit: 1,
        stdout: '',
        stderr: expect.stringMatching(/^usermgmt: \S+pipe is no regular file; .*\n$/),
      })
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test('when there is none', async () => {
      const { run } = await plannedSite(harness)
      expect((await run('purge --plan plans.ndjson --yes')).stderr).toMatch(
        /^usermgmt: the plan .* cannot be read: there is no such file or directory\n$/,
      )
    })
  })

  test('is written over an older one', async () => {
    const { run, file } = await plannedSite(harness)
    const before = await readFile(file, 'utf8')
    expect(await run('purge --since 2020-01-01 --plan-out plan.ndjson')).toMatchObject({ exit: 0 })
    expect(await readFile(file, 'utf8')).not.toBe(before)
  })

  test('is written into an empty file', async () => {
    const { cwd, run } = await plannedSite(harness)
    await writeFile(join(cwd, 'empty'), '')
    expect(await run('purge --since 2020-01-01 --plan-out empty')).toMatchObject({ exit: 0 })
  })

  test.each<[string, string]>([
    ['some notes', 'remember me'],
    ['JSON', '{"usermgmt":"0.1.0"}'],
  ])('is not written over %s', async (_, content) => {
    const { cwd, run } = await plannedSite(harness)
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
    const { cwd, run, file } = await plannedSite(harness)
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
    const { run } = await plannedSite(harness)
    expect(await run(`purge --since 2020-01-01 --plan-out ${place}`)).toMatchObject({ exit: 3, stdout: '' })
  })

  test('that cannot be written leaves nothing', async () => {
    const { run } = await plannedSite(harness)
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
