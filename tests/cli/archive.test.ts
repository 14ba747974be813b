import { readdirSync, renameSync, rmSync } from 'node:fs'
import { readdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { ARCHIVE_EXAMPLES } from '../../src/cli/commands/archive.ts'
import { RESTORE_EXAMPLES } from '../../src/cli/commands/restore.ts'
import { LedgerRun } from '../../src/ledger/run.ts'
import { openArchive } from '../../src/users/archive/open-archive.ts'
import { ArchiveWriter } from '../../src/users/archive/writer.ts'
import { startsIn } from '../support/archives.ts'
import { describeDatabase, describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { allRowsOf, rowsOf, siteInSchema, withTables } from '../support/sites.ts'
import { addUser, type NewUser } from '../support/users.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

const NAME = 'purge-20250615T120000Z-3f9a1c.ndjson.gz'

/** Returns the signal of somebody who interrupts the first batch, or acts then: it is asked for before each. */
function stoppedAfterFirst(act = () => true): AbortSignal {
  const { signal } = new AbortController()
  let asked = 0
  Object.defineProperty(signal, 'aborted', { get: () => ++asked > 1 && act() })
  return signal
}

let cwd: string
withDirectory(beforeEach, (path) => {
  cwd = path
})

describeEachDatabase('archives on the command line', (harness) => {
  async function purged(options = '', besides?: NewUser) {
    const site = await exampleSite(harness)
    if (besides) await addUser(site, besides)
    const before = await allRowsOf(site.db)
    const run = (line: string) => usermgmt(line.split(' '), { cwd, env: { DATABASE_URL: site.url } })
    const ran = await run(`purge --since 2020-01-01 --yes --format json${options}`)
    const [file] = await readdir(join(cwd, 'usermgmt-archive')).catch(() => [])
    if (file) await rename(join(cwd, 'usermgmt-archive', file), join(cwd, 'usermgmt-archive', NAME))
    return { site, before, run, ran, file }
  }

  test.each([...RESTORE_EXAMPLES, ...ARCHIVE_EXAMPLES])('$command', async ({ command, output }) => {
    const { run } = await purged()
    const { stdout, stderr } = await run(command.replace(/^usermgmt /, ''))
    expect({ stdout: stdout.trimEnd(), stderr }).toEqual({ stdout: output, stderr: '' })
  })

  test('purge names its archive, from which everybody comes back', async () => {
    const { site, before, run, ran, file } = await purged()
    expect(JSON.parse(ran.stdout)).toMatchObject({
      deleted: 2,
      archive: join(cwd, 'usermgmt-archive', String(file)),
    })
    const planned = await run(`restore usermgmt-archive/${NAME} --dry-run --format json`)
    const restored = await run(`restore usermgmt-archive/${NAME} --yes --format json`)
    expect(planned.stdout).toBe(restored.stdout)
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  describe('an archive that goes away in the middle of its purge is not offered', () => {
    async function purgedWithout(format: string, goes: (path: string) => void) {
      const site = await exampleSite(harness)
      await usermgmt(['--database', site.url, 'migrate'])
      let path = ''
      const signal = stoppedAfterFirst(() => {
        const directory = join(cwd, 'usermgmt-archive')
        path ||= join(directory, String(readdirSync(directory)[0]))
        goes(path)
        return false
      })
      const line = `purge --since 2020-01-01 --yes --quiet --batch-size 1 --jobs 1 --format ${format}`
      const run = (args: string) =>
        usermgmt(args.split(' '), { cwd, env: { DATABASE_URL: site.url }, signal })
      const ran = await run(line)
      const [{ archive }] = JSON.parse((await run('history --format json')).stdout)
      return { ...ran, path, recorded: archive }
    }

    const rows = [
      { how: 'removed', goes: rmSync, exit: 1, deleted: 1 },
      { how: 'moved', goes: (path: string) => renameSync(path, join(cwd, 'away')), exit: 0, deleted: 2 },
    ]
    const REMOVED =
      'it has been removed; who was deleted so far is in no archive any more: see what removed it, then run it again'

    test.each(rows)('$how', async ({ goes, exit, deleted }) => {
      const text = await purgedWithout('text', goes)
      const { path } = text
      const stderr = exit === 0 ? '' : `usermgmt: the archive ${path} cannot be written: ${REMOVED}\n`
      expect(text).toMatchObject({ exit, stderr, recorded: null })
      expect(text.stdout.split('\n\n').at(-1)).toBe(`the archive is not there any more: ${path}\n`)
      const json = await purgedWithout('json', goes)
      expect(json).toMatchObject({ exit, recorded: null })
      expect(JSON.parse(json.stdout)).toMatchObject({ deleted, archive: null })
    })
  })

  test('a purge that deletes nobody leaves no archive, and nothing to put back', async () => {
    const site = await withTables(
      await exampleSite(harness),
      harness.pick({
        sqlite: `CREATE TRIGGER keep BEFORE DELETE ON auth_user BEGIN SELECT RAISE(ABORT, 'no'); END;`,
        postgres: `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
          CREATE TRIGGER keep BEFORE DELETE ON auth_user FOR EACH ROW EXECUTE FUNCTION keep();`,
      }),
    )
    const args = ['purge', '--database', site.url, '--since', '2020-01-01', '--yes', '--format', 'json']
    const { exit, stdout, stderr } = await usermgmt(args, { cwd })
    expect(exit).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      deleted: 0,
      failed: [{ id: '3' }, { id: '4' }],
      archive: null,
    })
    expect(stderr).not.toContain('usermgmt restore')
    expect(await readdir(join(cwd, 'usermgmt-archive'))).toEqual([])
  })

  test('what cannot go back makes it fail, even when nobody reads the report', async () => {
    const { site } = await purged()
    await addUser(site, { username: 'win-a-prize', email: 'new@mail.example' })
    const args = ['restore', `usermgmt-archive/${NAME}`, '--yes']
    const ran = await usermgmt(args, { cwd, env: { DATABASE_URL: site.url }, unread: true })
    expect(ran).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: expect.stringMatching(/^usermgmt: not everything could be put back as before; /),
    })
  })

  test.each([
    ['an id', ['3'], ['win-a-prize']],
    ['a username, whatever its case', ['WIN-a-prize'], ['win-a-prize']],
    ['an address, whatever its case', ['X82@Mail.example'], ['xqzv81']],
    ['several', ['4', 'x81@mail.example'], ['win-a-prize', 'xqzv81']],
  ])('restore --user takes %s', async (_, users, expected) => {
    const { site, run } = await purged()
    const here = async () => (await rowsOf(site.db, 'auth_user')).map(({ username }) => username)
    const before = await here()
    const options = users.map((user) => ` --user ${user}`).join('')
    expect(await run(`restore usermgmt-archive/${NAME} --yes${options}`)).toMatchObject({ exit: 0 })
    expect((await here()).filter((username) => !before.includes(username))).toEqual(expected)
  })

  test('restore --user puts nothing back when one of them is not in the archive, or two are meant', async () => {
    const { site, run } = await purged('', { username: 'x81@mail.example', email: 'x83@mail.example' })
    const before = await allRowsOf(site.db)
    const unknown = await run(`restore usermgmt-archive/${NAME} --yes --user 3 --user ben`)
    expect(unknown).toMatchObject({ exit: 1, stdout: '' })
    expect(unknown.stderr).toContain('this user is not in the archive')
    const two = await run(`restore usermgmt-archive/${NAME} --yes --user x81@mail.example`)
    expect(two).toMatchObject({ exit: 1, stdout: '' })
    expect(two.stderr).toContain('"x81@mail.example" could mean 2 users; their ids are 3, 7:')
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('restore says whose id and whose address is somebody else’s by now', async () => {
    const { site, run } = await purged()
    const active: NewUser = { dateJoined: '2025-01-01T00:00:00Z', lastLogin: '2025-06-01T12:00:00Z' }
    await addUser(site, {
      ...active,
      username: 'holder',
      addresses: [{ email: 'x82@mail.example', verified: true }],
    })
    const noted = await run(`restore usermgmt-archive/${NAME} --dry-run`)
    expect(noted).toMatchObject({ exit: 0, stderr: '' })
    expect(noted.stdout).toContain(
      '\nTo know\n  user 4: an address of theirs is verified for somebody else by now\n',
    )
    await addUser(site, { ...active, username: 'stranger', columns: { id: 3 } })
    const { exit, stdout, stderr } = await run(`restore usermgmt-archive/${NAME} --yes --format json`)
    expect(JSON.parse(stdout)).toEqual({
      restored: { auth_user: 1, account_emailaddress: 1 },
      relinked: {},
      skipped: 0,
      changed: 0,
      failed: [
        {
          user: '3',
          table: 'auth_user',
          reason: 'the id belongs to somebody else by now, so nothing of this user is put back',
        },
      ],
      notes: [{ user: '4', note: 'an address of theirs is verified for somebody else by now' }],
      batches: 1,
      end: 'whole',
      missing: null,
      stopped: null,
    })
    expect(exit).toBe(1)
    expect(stderr).toContain('not everything could be put back as before')
  })

  test('restore warns of triggers on the tables that it fills, and its report names them', async () => {
    const { site, run } = await purged()
    await site.database.run(
      harness.pick({
        sqlite: `CREATE TRIGGER stamp AFTER INSERT ON auth_user BEGIN
          UPDATE auth_user SET first_name = 'stamped' WHERE id = new.id; END;`,
        postgres: `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN NEW.first_name := 'stamped'; RETURN NEW; END $$;
          CREATE TRIGGER stamp BEFORE INSERT ON auth_user FOR EACH ROW EXECUTE FUNCTION stamp();`,
      }),
    )
    const restore = `restore usermgmt-archive/${NAME}`
    const planned = JSON.parse((await run(`${restore} --dry-run --format json`)).stdout)
    expect(planned).toMatchObject({ changed: 0, triggers: [{ table: 'auth_user', name: 'stamp' }] })
    const restored = await run(`${restore} --yes`)
    expect(restored).toMatchObject({ exit: 0 })
    expect(restored.stderr).toBe(
      'warning: triggers may change or add to what is put back: auth_user: stamp\n',
    )
    expect(restored.stdout).toContain(
      '\n\nTriggers: what they change or add is not as in the archive\n  auth_user: stamp\n',
    )
    const again = await run(`${restore} --yes --format json`)
    expect(JSON.parse(again.stdout)).toMatchObject({ restored: {}, changed: 2 })
    expect(JSON.parse(again.stdout)).not.toHaveProperty('triggers')
  })

  test('--no-archive goes without', async () => {
    const { ran, file } = await purged(' --no-archive')
    expect(JSON.parse(ran.stdout)).toMatchObject({ deleted: 2 })
    expect(JSON.parse(ran.stdout).archive).toBeNull()
    expect(ran.stderr).toContain('\nno archive: what is deleted cannot be put back\n')
    expect(file).toBeUndefined()
  })

  test('of an archive that was cut it is said that there may be more; what is known to be missing fails', async () => {
    const { run } = await purged(' --batch-size 1 --jobs 1')
    const path = join(cwd, 'usermgmt-archive', NAME)
    const content = await readFile(path)
    const [, first, second, end] = await startsIn(path)
    await truncate(path, second)
    const note =
      'this archive has no end: the purge is still at work, was killed or failed, or the file was cut since; it holds 1 batch\n'
    const show = `archive show usermgmt-archive/${NAME}`
    expect(await run(show)).toEqual(expect.objectContaining({ exit: 0, stderr: note }))
    expect((await run(`${show} --quiet`)).stderr).toBe('')
    const restored = await run(`restore usermgmt-archive/${NAME} --yes`)
    expect(restored).toMatchObject({ exit: 0, stderr: '' })
    expect(restored.stdout).toContain(`2 rows put back\n${note}`)
    await writeFile(path, Buffer.concat([content.subarray(0, first), content.subarray(second, end)]))
    const partly = await run(`restore usermgmt-archive/${NAME} --yes --format json`)
    expect(partly.exit).toBe(1)
    expect(JSON.parse(partly.stdout)).toMatchObject({
      restored: { auth_user: 1 },
      failed: [{ reason: 'batch 1 of the archive is missing' }],
      batches: 1,
      end: 'missing',
    })
    expect(await run(show)).toMatchObject({
      exit: 1,
      stdout: '4\txqzv81\tx82@mail.example\n',
      stderr: `${note}usermgmt: 1 of the 2 batches of the archive are damaged or missing: 1; whoever is in them is not shown\n`,
    })
  })

  test('an archive that was cut is known by the ledger', async () => {
    const site = await exampleSite(harness)
    const run = (line: string) => usermgmt(line.split(' '), { cwd, env: { DATABASE_URL: site.url } })
    await run('migrate')
    const { archive } = JSON.parse(
      (await run('purge --since 2020-01-01 --yes --batch-size 1 --jobs 1 --format json')).stdout,
    )
    const [, , second] = await startsIn(archive)
    await truncate(archive, second)
    const [purge] = JSON.parse((await run('history --format json')).stdout)
    const look = await run(`restore ${archive} --dry-run --format json`)
    expect(look.exit).toBe(1)
    expect(JSON.parse(look.stdout).missing).toEqual({ run: purge.run, deleted: 2, archived: 1 })
    expect(await run(`restore ${archive} --yes`)).toMatchObject({
      exit: 1,
      stdout: expect.stringMatching(/^2 rows put back\n\nRows\n/),
      stderr: `usermgmt: the archive was cut: it holds 1 of 2 users whom the run ${purge.run} deleted; look for the whole file, in a backup, and restore that as well\n`,
    })
    const runs: { command: string; outcome: string }[] = JSON.parse(
      (await run('history --format json')).stdout,
    )
    expect(runs.find(({ command }) => command === 'restore')?.outcome).toBe('partly')
    expect(await run(`restore ${archive} --yes --user ${'win-a-prize'}`)).toMatchObject({ exit: 0 })
  })

  test('an archive whose purge is still at work is not taken for one that was cut', async () => {
    const site = await exampleSite(harness)
    const run = (line: string) => usermgmt(line.split(' '), { cwd, env: { DATABASE_URL: site.url } })
    await run('migrate')
    const purged = await run('purge --since 2020-01-01 --yes --batch-size 1 --jobs 1 --format json')
    const { archive } = JSON.parse(purged.stdout)
    const [, , second] = await startsIn(archive)
    await truncate(archive, second)
    const [purge] = JSON.parse((await run('history --format json')).stdout)
    const facts = { command: 'purge', options: {}, actor: 'ann', host: hostname(), version: '1.0.0' }
    await LedgerRun.begin(site.db, facts, { lock: 'purge', now: () => new Date() })
    await site.database.run(`UPDATE usermgmt_lock SET run_id = '${purge.run}'`)
    expect(await run(`restore ${archive} --yes`)).toMatchObject({
      exit: 3,
      stdout: '',
      stderr:
        'usermgmt: the purge that writes this archive is still at work; put everybody back when it has ended, or some now with --user\n',
    })
    expect(await run(`restore ${archive} --yes --user win-a-prize`)).toMatchObject({ exit: 0 })
  })

  test('restore tells of rows that are there already, and of those that have changed since', async () => {
    const { site, run } = await purged()
    const again = () => run(`restore usermgmt-archive/${NAME} --yes`)
    expect(await again()).toMatchObject({ exit: 0 })
    expect((await again()).stdout).toBe('0 rows put back\n4 rows there already\n')
    await site.database.run(`update auth_user set first_name = 'New' where id = 3`)
    expect((await again()).stdout).toBe(
      '0 rows put back\n4 rows there already, 1 of them not as in the archive\n',
    )
  })

  test('restore tells when it has been interrupted, a dry run too', async () => {
    const { site } = await purged(' --batch-size 1')
    const before = await allRowsOf(site.db)
    const restore = async (...options: string[]) => {
      const args = ['restore', `usermgmt-archive/${NAME}`, '--format', 'json', ...options]
      return usermgmt(args, { cwd, env: { DATABASE_URL: site.url }, signal: stoppedAfterFirst() })
    }
    const planned = await restore('--dry-run')
    expect(planned.exit).toBe(130)
    expect(planned.stderr).toBe(
      'usermgmt: interrupted: 2 rows to put back until then; nothing has been put back\n',
    )
    expect(await allRowsOf(site.db)).toEqual(before)
    const restored = await restore('--yes')
    expect(restored.exit).toBe(130)
    expect(restored.stderr).toBe('usermgmt: interrupted: 2 rows put back; run it again to go on\n')
    for (const { stdout } of [planned, restored]) {
      expect(JSON.parse(stdout)).toMatchObject({
        restored: { auth_user: 1, account_emailaddress: 1 },
        stopped: { reason: 'interrupted' },
      })
    }
  })

  test('restore needs a yes, the right database and an archive', async () => {
    const { run } = await purged()
    expect(await run(`restore usermgmt-archive/${NAME}`)).toMatchObject({ exit: 3, stdout: '' })
    expect(await run('restore usermgmt-archive/none --yes')).toMatchObject({ exit: 1, stdout: '' })
    const other = await exampleSite(harness)
    const elsewhere = await run(`restore usermgmt-archive/${NAME} --yes --database ${other.url}`)
    expect(elsewhere).toMatchObject({ exit: 3, stdout: '' })
    expect(elsewhere.stderr).toContain('comes from another database')
  })

  test('restore puts nothing into another kind of database, whatever is said', async () => {
    const { site, run } = await purged()
    const { header, reader } = await openArchive(join(cwd, 'usermgmt-archive', NAME))
    await reader.close()
    const kind = harness.pick({ sqlite: 'postgres', postgres: 'sqlite' })
    const writer = await ArchiveWriter.create(join(cwd, 'other'))
    const batch = writer.batch()
    batch.add(JSON.stringify({ ...header, database: { ...header.database, kind } }))
    await batch.save()
    await writer.close()
    const before = await allRowsOf(site.db)
    expect(await run('restore other --yes --any-database')).toMatchObject({
      exit: 3,
      stdout: '',
      stderr: expect.stringMatching(
        /^usermgmt: the archive comes from another kind of database: (?!.*--any-database)/,
      ),
    })
    expect(await allRowsOf(site.db)).toEqual(before)
  })
})

describeDatabase('sqlite', 'a site that is reached through a symbolic link', (harness) => {
  test('is the same for archives and plans', async () => {
    const site = await exampleSite(harness)
    const before = await allRowsOf(site.db)
    await symlink(site.url.replace(/^sqlite:/, ''), join(cwd, 'link.sqlite3'))
    const run = (line: string, url: string) => usermgmt(line.split(' '), { cwd, env: { DATABASE_URL: url } })
    await run('purge --since 2020-01-01 --plan-out plan', 'link.sqlite3')
    expect(await run('purge --plan plan --yes --archive here', site.url)).toMatchObject({ exit: 0 })
    const [file] = await readdir(join(cwd, 'here'))
    expect(await run(`restore here/${file} --yes`, 'link.sqlite3')).toMatchObject({ exit: 0 })
    expect(await allRowsOf(site.db)).toEqual(before)
  })
})

describeDatabase('postgres', 'the archive of one tenant', (harness) => {
  test('is not put back into the schema of another', async () => {
    const site = await siteInSchema(harness, 'django5.2-allauth65', { schema: 'one' })
    await addUser(site)
    await site.database.run(`create schema two; create table two.auth_user (like one.auth_user including all);
      create table two.account_emailaddress (like one.account_emailaddress including all);
      alter table two.account_emailaddress add foreign key (user_id) references two.auth_user (id)`)
    const run = (line: string, url: string) => usermgmt(line.split(' '), { cwd, env: { DATABASE_URL: url } })
    const purged = await run('purge --since 2020-01-01 --yes --archive here --max-delete 100%', site.url)
    expect(purged).toMatchObject({ exit: 0 })
    const [file] = await readdir(join(cwd, 'here'))
    const elsewhere = await run(`restore here/${file} --yes`, site.url.replace('%3Done', '%3Dtwo'))
    expect(elsewhere).toMatchObject({ exit: 3, stdout: '' })
    expect(elsewhere.stderr).toMatch(/another database: .* \(schema one\); this one is .* \(schema two\);/)
    expect(await run(`restore here/${file} --yes`, site.url)).toMatchObject({ exit: 0 })
  })
})
