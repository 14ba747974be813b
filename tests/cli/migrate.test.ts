import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { createSite } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

const EMPTY = 'The database is empty. It gets all tables that Django and allauth expect.\n'
const SITE = 'The database holds a site with django-allauth.'
const APPLIED = /applied \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g

describeEachDatabase('migrate', (harness) => {
  const onEmpty = async () => (await harness.empty()).url
  const run = (url: string, ...args: string[]) => usermgmt(['--database', url, 'migrate', ...args])

  test('an empty database, twice', async () => {
    const url = await onEmpty()
    expect(await run(url)).toMatchObject({
      exit: 0,
      stdout: 'applied site/0000_django_allauth\napplied ledger/0000_ledger\n',
      stderr: EMPTY,
    })
    expect(await run(url)).toMatchObject({ exit: 0, stdout: '', stderr: 'Nothing to do.\n' })
    expect(
      (await usermgmt(['--database', url, 'create-user', '--email', 'a@b.org', '--no-password'])).stdout,
    ).toBe('created a <a@b.org> with id 1\n')
  })

  test('a site', async () => {
    const { url } = await createSite(harness, 'cookiecutter')
    expect(await run(url)).toMatchObject({
      exit: 0,
      stdout: 'applied ledger/0000_ledger\n',
      stderr: `${SITE} Only the usermgmt_* tables are added.\n`,
    })
  })

  test('--status', async () => {
    const url = await onEmpty()
    const { url: site } = await createSite(harness, 'cookiecutter')
    const status = async (of: string) => {
      const ran = await run(of, '--status')
      expect(ran).toMatchObject({ exit: 0, stderr: '' })
      return ran.stdout.replace(APPLIED, 'applied THEN')
    }
    expect(await status(url)).toBe(
      'The database is empty.\nsite/0000_django_allauth  pending\nledger/0000_ledger        pending\n',
    )
    expect(await status(site)).toBe(
      `${SITE}\nsite/0000_django_allauth  not needed\nledger/0000_ledger        pending\n`,
    )
    await run(url)
    expect(await status(url)).toBe(
      `${SITE}\nsite/0000_django_allauth  applied THEN\nledger/0000_ledger        applied THEN\n`,
    )
  })

  test('tables without allauth', async () => {
    const database = await harness.empty()
    await database.run('create table auth_user (id {key})')
    expect((await run(database.url, '--status')).stdout).toMatch(
      /^The database has tables, but none of allauth: .*\nsite\S+ +not needed\nledger\S+ +pending\n$/,
    )
    expect(await run(database.url)).toMatchObject({
      exit: 0,
      stdout: 'applied ledger/0000_ledger\n',
      stderr: expect.stringMatching(/^The database has tables, but none of allauth: .* are added\.\n$/),
    })
  })

  test('--dry-run prints the SQL and changes nothing', async () => {
    const database = await harness.empty()
    const ran = await run(database.url, '--dry-run')
    expect(ran).toMatchObject({ exit: 0, stderr: EMPTY })
    expect(ran.stdout).toMatch(
      /^BEGIN;\n[\s\S]*CREATE TABLE "auth_user"[\s\S]*"usermgmt_run"[\s\S]*\nCOMMIT;\n$/,
    )
    expect((await database.db.dialect.catalog(database.db)).tables.size).toBe(0)

    await database.run(ran.stdout)
    expect(await run(database.url, '--dry-run')).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: 'Nothing to do.\n',
    })
  })

  test.each(['usermgmt_lock', 'usermgmt_deletion', 'usermgmt_reminder'])(
    'makes again what is lost of the ledger: %s',
    async (table) => {
      const { url, database } = await exampleSite(harness)
      await run(url)
      await database.run(`drop table ${table}`)
      const purge = ['--database', url, 'purge', '--since', '2020-01-01', '--yes']
      const { stderr } = await usermgmt(purge)
      expect(stderr).toContain(`usermgmt: a table is missing: ${table}; usermgmt migrate makes it\n`)
      expect((await run(url, '--status')).stdout).toMatch(/ incomplete: a table of it is missing\n$/)
      expect(await run(url)).toMatchObject({ exit: 0, stdout: 'repaired ledger/0000_ledger\n' })
      expect(await run(url)).toMatchObject({ exit: 0, stdout: '', stderr: 'Nothing to do.\n' })
      expect(await usermgmt(purge)).toMatchObject({
        exit: 0,
        stdout: expect.stringContaining('2 users deleted'),
      })
    },
  )

  test('--quiet says nothing, errors aside', async () => {
    const database = await harness.empty()
    expect(await run(database.url, '--quiet')).toMatchObject({ exit: 0, stdout: '', stderr: '' })
    await database.run('drop table usermgmt_migration')
    expect(await run(database.url, '--quiet')).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: `usermgmt: there is a table usermgmt_deletion that migrate has not made; rename or drop it; or, if it was copied here, copy usermgmt_migration as well
`,
    })
  })
})

describe('migrate on a SQLite file that does not exist', () => {
  let directory: string
  withDirectory(beforeEach, (path) => {
    directory = path
  })

  test('makes it; whoever only looks does not', async () => {
    const file = join(directory, 'usermgmt.sqlite3')
    for (const look of ['--status', '--dry-run']) {
      expect((await usermgmt(['migrate', look], { cwd: directory })).exit).toBe(0)
      expect(existsSync(file)).toBe(false)
    }
    expect((await usermgmt(['migrate'], { cwd: directory })).exit).toBe(0)
    expect(existsSync(file)).toBe(true)
    expect((await usermgmt(['list-unverified', '--format', 'count'], { cwd: directory })).stdout).toBe('0\n')
  })

  test.each([[], ['--status'], ['--dry-run']])('its directory neither: migrate %s', async (...args) => {
    const ran = await usermgmt(['--database', 'none/here.db', 'migrate', ...args], { cwd: directory })
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(ran.stderr).toMatch(/^usermgmt: there is no directory \S+\/none; create it first\n$/)
  })
})
