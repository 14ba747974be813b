import { rm } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { HISTORY_EXAMPLES } from '../../src/cli/commands/history.ts'
import { describeEachDatabase, type Harness } from '../support/databases.ts'
import { rowsOf } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

/** The example site with the tool's own tables, of which two users have been purged. */
async function purgedSite(harness: Harness) {
  const site = await exampleSite(harness)
  await usermgmt(['--database', site.url, 'migrate'])
  const run = (args: string) => usermgmt(args.split(' '), { env: { DATABASE_URL: site.url } })
  const purged = await run('purge --since 2020-01-01 --yes --protect ann@example.org --format json')
  const [recorded] = JSON.parse((await run('history --format json')).stdout)
  return { site, run, purged, recorded }
}

/** Whoever runs the tests, and wherever. */
function normal(screen: string): string {
  return screen
    .replace(/[0-9a-f]{8}(?= )/g, '7f3c0a52')
    .replace(/\S+@\S+(?= +done)/g, 'ann@web1')
    .replace(/[ ─]+/g, ' ')
    .trim()
}

describeEachDatabase('history', (harness) => {
  test.each(HISTORY_EXAMPLES)('$command', async ({ command, output }) => {
    const { run } = await purgedSite(harness)
    const { screen } = await run(command.replace('usermgmt ', ''))
    expect(normal(screen)).toBe(normal(output))
  })

  test('has who did what, when, how and with which result, and names nobody', async () => {
    const { site, purged, recorded } = await purgedSite(harness)
    expect(recorded).toEqual({
      run: expect.stringMatching(/^[0-9a-f-]{36}$/),
      command: 'purge',
      options: { since: '2020-01-01', yes: true, protect: '1 given', format: 'json' },
      actor: expect.any(String),
      host: expect.any(String),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      started_at: '2025-06-15T12:00:00Z',
      ended_at: '2025-06-15T12:00:00Z',
      outcome: 'done',
      counts: { matched: 4, deleted: 2, kept: { staff: 1, content: 1 }, changed: 0, failed: 0 },
      archive: JSON.parse(purged.stdout).archive,
    })
    const ledger = [await rowsOf(site.db, 'usermgmt_run'), await rowsOf(site.db, 'usermgmt_deletion')]
    expect(JSON.stringify(ledger)).not.toMatch(/@mail\.example|@example/)
  })

  test('on a terminal fits into its width', async () => {
    const { site } = await purgedSite(harness)
    await site.database.run("update usermgmt_run set host = 'the-third-server-of-the-site.example.com'")
    const { stdout } = await usermgmt(['history', '--no-color'], {
      env: { DATABASE_URL: site.url },
      terminal: { columns: 80 },
    })
    const [, rule = '', first = ''] = stdout.split('\n')
    expect(rule).toHaveLength(80)
    expect(first).toMatch(/^[0-9a-f]{8} {2}2025-06-15T12:00:00Z {2}purge .*… {2}done /)
  })

  test('of one run has whom it deleted', async () => {
    const { run, recorded } = await purgedSite(harness)
    const { stdout } = await run(`history ${recorded.run.slice(0, 6)} --format ndjson`)
    const deletions = stdout.trimEnd().split('\n')
    expect(deletions.map((line) => JSON.parse(line))).toEqual([
      {
        user: '3',
        // printf x81@mail.example | sha256sum
        email_sha256: '6422576a0860300761d5835e3e05c527558bfbe0f2d21fee01d37ff9e5272927',
        deleted_at: expect.stringMatching(/Z$/),
      },
      expect.objectContaining({ user: '4' }),
    ])
    expect((await run(`history ${recorded.run}`)).stdout).toContain(
      `run      ${recorded.run}\ncommand  purge\n`,
    )
  })

  test('says when the archive is not there any more', async () => {
    const { run, recorded } = await purgedSite(harness)
    const shown = async () => (await run(`history ${recorded.run}`)).stdout
    expect(await shown()).toContain(`archive  ${recorded.archive}\n`)
    await rm(recorded.archive)
    expect(await shown()).toContain(`archive  ${recorded.archive} (not there any more)\n`)
  })

  test('has whoever was created, and what was put back', async () => {
    const { run, recorded } = await purgedSite(harness)
    await run('create-user gus --email gus@example.com --first-name Gus --no-password')
    await run(`restore ${recorded.archive} --yes`)
    const { stdout } = await run('history --format json')
    const runs = JSON.parse(stdout).slice(0, 3) as { command: string; options: object; counts: object }[]
    expect(runs.find(({ command }) => command === 'restore')).toMatchObject({
      counts: { 'rows put back': 4, skipped: 0, failed: 0 },
      archive: recorded.archive,
    })
    expect(runs.find(({ command }) => command === 'create-user')).toMatchObject({
      options: { email: '1 given', first_name: '1 given' },
      counts: { created: 1 },
    })
    expect(stdout).not.toContain('gus@example.com')
  })

  test('shows options as they are typed, and how many of those it does not keep', async () => {
    const site = await exampleSite(harness)
    await site.database.run('create table "odd table" (user_id integer references auth_user (id))')
    const run = (...args: string[]) => usermgmt(['--database', site.url, ...args])
    await run('migrate')
    const given = ['--set-null', 'odd table.user_id', '--protect', 'ann', '--protect', 'bob']
    await run('purge', '--since', '2020-01-01', '--yes', ...given)
    const [{ run: id = '' } = {}] = JSON.parse((await run('history', '--format', 'json')).stdout)
    const { stdout } = await run('history', id)
    expect(stdout).toMatch(
      /^options {2}--since 2020-01-01 --yes --set-null 'odd table\.user_id' --protect … \(2 given\)$/m,
    )
    expect(stdout).toMatch(
      /^counts {3}matched 4, deleted 2, kept \(1 staff, 1 content\), changed 0, failed 0$/m,
    )
  })

  test('shows a name that reads like a number of people', async () => {
    const { site, run } = await purgedSite(harness)
    await site.database.run("insert into auth_group (id, name) values (9, '3 given')")
    const group = ['--group', '3 given', '--no-password', '--email', 'gus@example.com']
    await usermgmt(['--database', site.url, 'create-user', 'gus', ...group])
    const runs: { run: string; command: string }[] = JSON.parse((await run('history --format json')).stdout)
    const created = runs.find(({ command }) => command === 'create-user')
    expect((await run(`history ${created?.run}`)).stdout).toMatch(/^options .*--group '3 given'/m)
  })

  test('shows no option that there is not', async () => {
    const { site, run } = await purgedSite(harness)
    const args = ['create-user', 'zoe', '--email', 'zoe@example.com', '--password-stdin']
    const stdin = 'correct horse battery staple'
    await usermgmt(['--database', site.url, ...args], { stdin })
    const runs: { run: string; command: string }[] = JSON.parse((await run('history --format json')).stdout)
    const created = runs.find(({ command }) => command === 'create-user')
    expect((await run(`history ${created?.run}`)).stdout).toMatch(
      /^options {2}--email … \(1 given\) --password-stdin$/m,
    )
  })

  test('tells which run deleted an address', async () => {
    const { run, recorded } = await purgedSite(harness)
    const found = await run('history --email X81@mail.example --format ndjson')
    expect(JSON.parse(found.stdout)).toEqual(recorded)
  })

  test('knows a run that never ended from one that is at work, and whom it has deleted', async () => {
    const { site, run, recorded } = await purgedSite(harness)
    await site.db.run(sql`update usermgmt_run set ended_at = null, outcome = null, counts = null`)
    expect((await run('history')).stdout).toMatch(/unknown +2 deleted\n$/)
    const shown = (await run(`history ${recorded.run}`)).stdout
    expect(shown).toMatch(/\ncounts +deleted 2\n/)
    await site.db.run(sql`delete from usermgmt_deletion`)
    expect((await run('history')).stdout).toMatch(/unknown +-\n$/)
  })

  test('finds whom a run has deleted whose own record is lost', async () => {
    const { site, run, recorded } = await purgedSite(harness)
    await site.database.run(
      harness.pick({
        sqlite: 'pragma foreign_keys = off; drop table usermgmt_run',
        postgres: 'drop table usermgmt_run cascade',
      }),
    )
    await run('migrate')
    const found = await run('history --email x81@mail.example --format json')
    expect(JSON.parse(found.stdout)).toEqual([
      {
        run: recorded.run,
        command: null,
        options: {},
        actor: null,
        host: null,
        version: null,
        started_at: null,
        ended_at: null,
        outcome: 'lost',
        counts: { deleted: 2 },
        archive: null,
      },
    ])
    for (const list of ['history', 'history --email x81@mail.example']) {
      expect((await run(list)).stdout).toMatch(/\n[0-9a-f]{8} +- +- +- +lost +2 deleted\n$/)
    }
    expect((await run(`history ${recorded.run.slice(0, 8)}`)).stdout).toMatch(
      /\ncommand {2}-\n(.*\n)*by +-\n/,
    )
    expect((await run(`history ${recorded.run} --format ndjson`)).stdout.match(/"user"/g)).toHaveLength(2)
    expect((await run('history --email ann@example.org')).stderr).toContain('no run has deleted')
  })

  test('has no archive of a run that deleted nobody', async () => {
    const { site, run } = await purgedSite(harness)
    await site.database.run(
      harness.pick({
        sqlite: `CREATE TRIGGER keep BEFORE DELETE ON auth_user BEGIN SELECT RAISE(ABORT, 'no'); END;`,
        postgres: `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
          CREATE TRIGGER keep BEFORE DELETE ON auth_user FOR EACH ROW EXECUTE FUNCTION keep();`,
      }),
    )
    await run('purge --since 2020-01-01 --cascade blog_post --yes')
    const runs = JSON.parse((await run('history --format json')).stdout) as {
      outcome: string
      archive: unknown
    }[]
    expect(runs.find(({ outcome }) => outcome === 'partly')).toMatchObject({ archive: null })
  })

  describe('errors', () => {
    test.each([
      ['history 00000000-0000', 'there is no run "00000000-0000"'],
      ['history %', 'there is no run "%"'],
    ])('%s', async (args, message) => {
      const { run } = await purgedSite(harness)
      expect(await run(args)).toMatchObject({
        exit: 1,
        stdout: '',
        stderr: `usermgmt: ${message}; see: usermgmt history\n`,
      })
    })

    test.each(['--limit 2', '--email x81@mail.example'])('RUN %s', async (option) => {
      const { run, recorded } = await purgedSite(harness)
      expect(await run(`history ${recorded.run} ${option}`)).toMatchObject({
        exit: 2,
        stdout: '',
        stderr: 'usermgmt: --limit and --email choose among the runs: they do not go with the id of one\n',
      })
    })

    test('without a ledger', async () => {
      const { url } = await exampleSite(harness)
      expect(await usermgmt(['history', '--database', url])).toMatchObject({
        exit: 1,
        stderr:
          'usermgmt: there is no ledger: no run has been recorded; usermgmt migrate makes its tables; runs are recorded from then on\n',
      })
    })
  })
})
