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
const LEDGER = 'applied ledger/0000_ledger\napplied ledger/0001_deletion_user_key\n'
const APPLIED = /applied \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g

describeEachDatabase('migrate', (harness) => {
  const onEmpty = async () => (await harness.empty()).url
  const run = (url: string, ...args: string[]) => usermgmt(['--database', url, 'migrate', ...args])

  test('an empty database, twice', async () => {
    const url = await onEmpty()
    expect(await run(url)).toMatchObject({
      exit: 0,
      stdout: `applied site/0000_django_allauth\n${LEDGER}`,
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
      stdout: LEDGER,
      stderr: `${SITE} Only the usermgmt_* tables are added.\n`,
    })
  })

  test('--status', async () => {
    const url = await onEmpty()
    const { url: site } = await createSite(harness, 'cookiecutter')
    const lines = (own: string, ledger: string) =>
      `site/0000_django_allauth       ${own}\nledger/0000_ledger             ${ledger}\nledger/0001_deletion_user_key  ${ledger}\n`
    const status = async (of: string) => {
      const ran = await run(of, '--status')
      expect(ran).toMatchObject({ exit: 0, stderr: '' })
      return ran.stdout.replace(APPLIED, 'applied THEN')
    }
    expect(await status(url)).toBe(`The database is empty.\n${lines('pending', 'pending')}`)
    expect(await status(site)).toBe(`${SITE}\n${lines('not needed', 'pending')}`)
    await run(url)
    expect(await status(url)).toBe(`${SITE}\n${lines('applied THEN', 'applied THEN')}`)
  })

  test('tables without allauth', async () => {
    const database = await harness.empty()
    await database.run('create table auth_user (id {key})')
    expect((await run(database.url, '--status')).stdout).toMatch(
      /^The database has tables, but none of allauth: .*\nsite\S+ +not needed\n(ledger\S+ +pending\n){2}$/,
    )
    expect(await run(database.url)).toMatchObject({
      exit: 0,
      stdout: LEDGER,
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

  test.each([
    ['usermgmt_lock', ['0000_ledger']],
    ['usermgmt_deletion', ['0000_ledger', '0001_deletion_user_key']],
    ['usermgmt_reminder', ['0000_ledger']],
  ])('makes again what is lost of the ledger: %s', async (table, migrations) => {
    const { url, database } = await exampleSite(harness)
    await run(url)
    await database.run(`drop table ${table}`)
    const purge = ['--database', url, 'purge', '--since', '2020-01-01', '--yes']
    const { stderr } = await usermgmt(purge)
    expect(stderr).toContain(`usermgmt: a table is missing: ${table}; usermgmt migrate makes it\n`)
    expect((await run(url, '--status')).stdout).toMatch(/0000_ledger +incomplete: a table of it is missing\n/)
    expect(await run(url)).toMatchObject({
      exit: 0,
      stdout: migrations.map((name) => `repaired ledger/${name}\n`).join(''),
    })
    expect(await run(url)).toMatchObject({ exit: 0, stdout: '', stderr: 'Nothing to do.\n' })
    expect(await usermgmt(purge)).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('2 users deleted'),
    })
  })

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
