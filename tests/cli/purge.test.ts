import { describe, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { allRowsOf, rowsOf } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { type Situation, usermgmt } from './run.ts'

const TERMINAL = { columns: 100 }

describeEachDatabase('purge', (harness) => {
  async function purge(args: string, situation?: Situation) {
    const site = await exampleSite(harness)
    const before = await allRowsOf(site.db)
    const words = ['purge', '--database', site.url, '--since', '2020-01-01', ...args.split(' ')]
    const ran = await usermgmt(
      words.filter((word) => word !== ''),
      situation,
    )
    const left = (await rowsOf(site.db, 'auth_user')).map((user) => user.id)
    return { ...ran, left, unchanged: async () => expect(await allRowsOf(site.db)).toEqual(before) }
  }

  test('--dry-run prints the plan and changes nothing', async () => {
    const { exit, stdout, stderr, unchanged } = await purge('--dry-run')
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    // The first example of the help shows the whole of it.
    expect(stdout).toMatch(/^2 users to delete, of 4 candidates\n/)
    await unchanged()
  })

  test('plan and report have the same keys and the same numbers', async () => {
    const plan = await purge('--dry-run --format json --cascade blog_post')
    const report = await purge('--yes --quiet --format json --cascade blog_post')
    const { to_delete, ...rest } = JSON.parse(plan.stdout)
    const { archive, ...done } = JSON.parse(report.stdout)
    expect(archive).toMatch(/usermgmt-archive\/purge-/)
    expect(done).toEqual({ ...rest, deleted: to_delete })
    expect(rest).toEqual({
      since: '2020-01-01T00:00:00Z',
      matched: 4,
      kept: { staff: 1 },
      changed: 0,
      tables: { auth_user: 3, account_emailaddress: 3, blog_post: 1 },
      nulled: {},
      failed: [],
      stopped: null,
    })
    expect(report).toMatchObject({ exit: 0, stderr: '', left: ['1', '5', '6'] })
  })

  test('--quiet says nothing when there is nothing to do, so that cron sends no mail', async () => {
    const ran = await purge('--yes --quiet --email-domain nowhere.example')
    expect(ran).toMatchObject({ exit: 0, stdout: '', stderr: '' })
  })

  test('--quiet says nothing at a terminal either, unless it asks', async () => {
    const terminal = { columns: 80 }
    expect(await purge('--quiet --user anna', { terminal })).toMatchObject({ exit: 0, screen: '' })
    expect((await purge('--quiet --max-delete 1', { terminal })).screen).toMatch(/^usermgmt: refused: .*\n$/)
    expect((await purge('--quiet', { terminal, typed: ['no'] })).screen).toContain(
      '2 users to delete, of 4 candidates',
    )
  })

  test('--quiet says nothing when all are kept, except as JSON', async () => {
    expect(await purge('--yes --quiet --user anna')).toMatchObject({ exit: 0, stdout: '', stderr: '' })
    const { stdout } = await purge('--yes --quiet --user anna --format json')
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 0, kept: { content: 1 } })
  })

  test('a misspelt name on the protect list is named, when planning and when deleting', async () => {
    const warning = 'warning: on the protect list, but nobody here: xqvz81\n'
    expect((await purge('--dry-run --protect xqvz81')).stderr).toBe(warning)
    expect((await purge('--yes --protect xqvz81')).stderr).toContain(warning)
    expect((await purge('--yes --quiet --protect xqvz81')).stderr).toBe(warning)
    const nobodyToDelete = '--yes --quiet --protect xqvz81 --email-domain example.org'
    expect((await purge(nobodyToDelete)).stderr).toBe('')
  })

  test('--jobs works wherever, as far as the database can', async () => {
    const { exit, stderr, left } = await purge('--yes --quiet --batch-size 1 --jobs 4')
    expect({ exit, stderr, left }).toEqual({ exit: 0, stderr: '', left: ['1', '2', '5', '6'] })
  })

  test('a person types the number', async () => {
    const { exit, stdout, stderr, left } = await purge('', { terminal: TERMINAL, typed: ['2'] })
    expect(exit).toBe(0)
    expect(stderr).toContain('2 users to delete, of 4 candidates')
    expect(stdout).toContain('2 users deleted, of 4 candidates')
    expect(left).toEqual(['1', '2', '5', '6'])
  })

  describe('nothing happens', () => {
    test.each<[string, string, Situation | undefined, string]>([
      [
        'without a terminal and without --yes',
        '',
        undefined,
        'not confirmed, and nobody to ask: nothing has been deleted',
      ],
      [
        'with --no-input',
        '--no-input',
        { terminal: TERMINAL },
        'not confirmed, and nobody to ask: nothing has been deleted',
      ],
      [
        'after another number',
        '',
        { terminal: TERMINAL, typed: ['20'] },
        'not confirmed: nothing has been deleted',
      ],
      ['after y', '', { terminal: TERMINAL, typed: ['y'] }, 'not confirmed: nothing has been deleted'],
      [
        'beyond --max-delete',
        '--yes --max-delete 1',
        undefined,
        'refused: 2 of 6 users would be deleted, and the limit is 1',
      ],
      [
        'beyond a percentage',
        '--yes --max-delete 20%',
        undefined,
        'refused: 2 of 6 users would be deleted, and the limit is 1',
      ],
    ])('%s', async (_, args, situation, message) => {
      const { exit, stdout, stderr, unchanged } = await purge(args, situation)
      expect({ exit, stdout }).toEqual({ exit: 3, stdout: '' })
      expect(stderr.split(/[\n;]/)).toContain(`usermgmt: ${message}`)
      await unchanged()
    })

    test('and the dry run says what it would need', async () => {
      const { exit, stderr } = await purge('--dry-run --max-delete 1')
      expect(exit).toBe(0)
      expect(stderr).toBe('warning: that is more than 1 user; to delete them takes --max-delete 2\n')
    })

    test('when nobody is to be deleted; then nobody is asked', async () => {
      const { exit, stdout, stderr, unchanged } = await purge('--user anna')
      expect(exit).toBe(0)
      expect(stderr).toContain('0 users to delete, of 1 candidate')
      expect(stdout).toContain('0 users deleted, of 1 candidate')
      await unchanged()
    })

    test('when nobody matches; then it says why', async () => {
      const { exit, stderr } = await purge('--yes --email-domain nowhere.example')
      expect(exit).toBe(0)
      expect(stderr).toContain('no user matches:\n  6 users in auth_user\n')
    })
  })

  test.each([false, true])(
    'a user who cannot be deleted is reported, and the exit code is 1 (unread: %s)',
    async (unread) => {
      const site = await exampleSite(harness)
      await site.database.run(
        harness.pick({
          sqlite: `CREATE TRIGGER keep BEFORE DELETE ON auth_user WHEN old.id = 3 BEGIN SELECT RAISE(ABORT, 'no'); END;`,
          postgres: `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF old.id = 3 THEN RAISE 'no'; END IF; RETURN old; END $$;
          CREATE TRIGGER keep BEFORE DELETE ON auth_user FOR EACH ROW EXECUTE FUNCTION keep();`,
        }),
      )
      const line = 'purge --since 2020-01-01 --yes --quiet --format json'
      const { exit, stdout, stderr } = await usermgmt(line.split(' '), {
        env: { DATABASE_URL: site.url },
        unread,
      })
      expect(exit).toBe(1)
      expect(unread ? stdout : JSON.parse(stdout)).toEqual(
        unread
          ? ''
          : expect.objectContaining({ deleted: 1, failed: [{ id: '3', reason: expect.any(String) }] }),
      )
      expect(stderr).toBe(
        'usermgmt: 1 user could not be deleted; the report says why; the others have been deleted\n',
      )
    },
  )

  test('interrupted before the first batch: the report, and exit code 130', async () => {
    const { exit, stdout, stderr, unchanged } = await purge('--yes', { signal: AbortSignal.abort() })
    expect(exit).toBe(130)
    expect(stdout).toContain('0 users deleted, of 4 candidates')
    expect(stderr).toContain('usermgmt: interrupted: 0 users deleted; run it again to go on\n')
    await unchanged()
  })

  test.each([
    ['--cascade nowhere', 'there is no table nowhere'],
    ['--cascade blog_post.nobody_id', 'the table blog_post has no column nobody_id'],
    [
      '--set-null blog_post.author_id',
      'blog_post.author_id cannot be set to NULL: the column does not allow it',
    ],
    [
      '--set-null blog_post.editor_id --cascade blog_post.editor_id',
      'blog_post.editor_id has two rules: set-null and delete',
    ],
  ])('%s is a usage error', async (args, message) => {
    const { exit, stdout, stderr } = await purge(`--dry-run ${args}`)
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^usermgmt: ${message}`))
  })
})
