import { expect, test } from 'vitest'
import type { Db } from '../../../src/db/port.ts'
import { migrate, migrationScript, planMigrations } from '../../../src/site/migrate.ts'
import { siteOf } from '../../../src/site/site.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { SECRET, wordsOf } from '../../support/errors.ts'
import { allRowsOf, createSite, rowsOf } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const LEDGER = [
  'usermgmt_deletion',
  'usermgmt_lock',
  'usermgmt_migration',
  'usermgmt_reminder',
  'usermgmt_run',
]

async function tablesOf(db: Db): Promise<string[]> {
  return [...(await db.dialect.catalog(db)).tables.keys()].sort()
}

async function fates(db: Db): Promise<string[]> {
  return (await planMigrations(db)).states.map(({ migration, state }) => `${migration.folder} ${state}`)
}

/** Both migrations of the ledger. */
function ledger(state: string): string[] {
  return [`ledger ${state}`, `ledger ${state}`]
}

/** The catalog as plain data, without the tables of the tool. */
async function siteCatalog(db: Db) {
  const { tables, foreignKeys } = await db.dialect.catalog(db)
  const own = (label: string) => !label.startsWith('usermgmt_')
  return {
    tables: [...tables.values()].filter(({ label }) => own(label)),
    keys: foreignKeys.filter((key) => own(key.table.label)).map((key) => [key.table.label, key.columns]),
  }
}

describeEachDatabase('migrate', (harness) => {
  test('makes a site of an empty database', async () => {
    const { db } = await harness.empty()
    expect(await fates(db)).toEqual(['site pending', ...ledger('pending')])
    expect(await tablesOf(db)).toEqual([])

    expect((await migrate(db)).holds).toBe('nothing')
    const { shape } = await siteOf(db)
    expect(shape.users.label).toBe('auth_user')
    expect(shape.hasLedger).toBe(true)
    expect(await rowsOf(db, 'django_migrations')).toHaveLength(25)
    expect(await fates(db)).toEqual(['site applied', ...ledger('applied')])
  })

  test('says when each was applied', async () => {
    const { db } = await harness.empty()
    const began = new Date(Date.now() - 1_000)
    await migrate(db)
    for (const { appliedAt = '', changed } of (await planMigrations(db)).states) {
      expect(appliedAt).toMatch(/Z$/)
      expect(new Date(appliedAt).getTime()).toBeGreaterThanOrEqual(began.getTime())
      expect(new Date(appliedAt).getTime()).toBeLessThanOrEqual(Date.now())
      expect(changed).toBe(false)
    }
  })

  test('changes nothing the second time', async () => {
    const { db } = await harness.empty()
    await migrate(db)
    const before = [await allRowsOf(db), await db.dialect.catalog(db)]
    expect((await migrate(db)).statements).toEqual([])
    expect([await allRowsOf(db), await db.dialect.catalog(db)]).toEqual(before)
  })

  test.each(['django5.2-allauth65', 'cookiecutter', 'custom-member'] as const)(
    'adds only its own tables to a site (%s)',
    async (name) => {
      const site = await createSite(harness, name)
      await addUser(site)
      const { db } = site
      const before = [await siteCatalog(db), await tablesOf(db), await allRowsOf(db)] as const
      expect(await fates(db)).toEqual(['site not needed', ...ledger('pending')])

      expect((await migrate(db)).holds).toBe('a site')
      expect(await siteCatalog(db)).toEqual(before[0])
      expect(await tablesOf(db)).toEqual([...before[1], ...LEDGER].sort())
      const { usermgmt_migration: recorded, ...rows } = await allRowsOf(db)
      expect(rows).toEqual(before[2])
      expect(recorded).toMatchObject([
        { folder: 'ledger', name: '0000_ledger' },
        { folder: 'ledger', name: '0001_deletion_user_key' },
      ])
      expect(await fates(db)).toEqual(['site not needed', ...ledger('applied')])
    },
  )

  test('leaves a site that is not whole alone', async () => {
    const database = await harness.empty()
    await database.run('create table django_migrations (id {key}, app varchar(255) not null)')
    expect((await migrate(database.db)).holds).toBe('tables without allauth')
    expect(await tablesOf(database.db)).toEqual(['django_migrations', ...LEDGER])
  })

  test("knows a site by the name of allauth's table", async () => {
    const database = await harness.empty()
    await database.run('create table member_address (id {key})')
    expect((await planMigrations(database.db, 'member_address')).holds).toBe('a site')
  })

  test('prints a script that does the same', async () => {
    const [migrated, scripted] = [await harness.empty(), await harness.empty()]
    await migrate(migrated.db)
    await scripted.run(migrationScript(await planMigrations(scripted.db)))

    // The mark tells two databases apart.
    const tablesIn = async ({ db }: typeof migrated) => ({
      ...(await db.dialect.catalog(db)),
      mark: undefined,
    })
    expect(await tablesIn(scripted)).toEqual(await tablesIn(migrated))
    const applied = (rows: Record<string, object>[]) => rows.map(({ applied, applied_at, ...rest }) => rest)
    for (const table of ['django_migrations', 'usermgmt_migration']) {
      expect(applied((await rowsOf(scripted.db, table)) as never)).toEqual(
        applied((await rowsOf(migrated.db, table)) as never),
      )
    }
    expect(migrationScript(await planMigrations(scripted.db))).toBe('')
  })

  test('leaves nothing behind when it fails', async () => {
    const database = await harness.empty()
    await database.run('create view django_site as select 1 as id')
    const { message } = await wordsOf(() => migrate(database.db))
    expect(message).toBe('there is a table or view of that name already: django_site')
    expect(await tablesOf(database.db)).toEqual([])
  })

  test('refuses tables of its name that it has not made', async () => {
    const database = await harness.empty()
    await database.run('create table usermgmt_run (id {key})')
    const { message, hint } = await wordsOf(() => migrate(database.db))
    expect(message).toBe('there is a table usermgmt_run that migrate has not made')
    expect(hint).toContain('usermgmt_migration')
  })

  test('gives a ledger what is new since it was made', async () => {
    const { db, run } = await harness.empty()
    await migrate(db)
    await run('drop index usermgmt_deletion_user_key')
    await run("delete from usermgmt_migration where name = '0001_deletion_user_key'")
    expect(await fates(db)).toEqual(['site applied', 'ledger applied', 'ledger pending'])
    expect((await migrate(db)).statements).toHaveLength(2)
    expect(await fates(db)).toEqual(['site applied', ...ledger('applied')])
  })

  test('tells of a column that one of its tables has lost', async () => {
    const database = await harness.empty()
    await migrate(database.db)
    await database.run('alter table usermgmt_run drop column counts')
    for (const work of [migrate, planMigrations]) {
      const { message, hint } = await wordsOf(() => work(database.db))
      expect(message).toBe('the table usermgmt_run has lost a column: counts')
      expect(hint).toContain('usermgmt migrate')
    }
  })

  test('tells when the file that was applied was another one', async () => {
    const database = await harness.empty()
    await migrate(database.db)
    await database.run("update usermgmt_migration set hash = 'other' where name = '0000_ledger'")
    const { states, statements } = await planMigrations(database.db)
    expect(states.map(({ changed }) => changed)).toEqual([false, true, false])
    expect(statements).toEqual([])
  })
})

describeDatabase('postgres', 'migrate', (harness) => {
  test('runs once when it is started three times at once', async () => {
    const database = await harness.empty()
    const ports = await Promise.all([1, 2, 3].map(() => database.open()))
    const plans = await Promise.all(ports.map((db) => migrate(db)))
    expect(plans.map(({ statements }) => statements.length > 0).sort()).toEqual([false, false, true])
  })

  test('goes into the schema of the search path', async () => {
    const database = await harness.empty()
    await database.run('create schema tenant')
    const url = `${database.url}?options=${encodeURIComponent('-c search_path=tenant')}`
    const db = await database.open({}, url)
    await migrate(db)
    expect(await tablesOf(db)).toContain('auth_user')
    expect(await tablesOf(database.db)).toContain('tenant.usermgmt_run')
    expect(await planMigrations(database.db)).toMatchObject({ holds: 'tables without allauth' })
  })

  test('a search path that leads nowhere', async () => {
    const database = await harness.empty()
    const url = `${database.url}?options=${encodeURIComponent('-c search_path=nowhere')}`
    const db = await database.open({}, url)
    expect((await wordsOf(() => migrate(db))).message).toBe(
      'the search_path of the URL names no schema that exists',
    )
  })

  test('a role that may not create tables', async () => {
    const database = await harness.empty()
    const role = `usermgmt_test_plain_${process.pid}`
    await database.run(`drop role if exists ${role}; create role ${role} login password '${SECRET}'`)
    const url = new URL(database.url)
    url.username = role
    url.password = SECRET
    const db = await database.open({}, url.href)
    expect((await wordsOf(() => migrate(db))).message).toBe('permission denied for schema public')
    expect(await fates(db)).toEqual(['site pending', ...ledger('pending')])
    await db.close()
    await database.run(`drop role ${role}`)
  })

  test('asks for no right when nothing is left to do', async () => {
    const database = await harness.empty()
    await migrate(database.db)
    const role = `usermgmt_test_idle_${process.pid}`
    await database.run(
      `drop role if exists ${role}; create role ${role} login password '${SECRET}'; grant select on usermgmt_migration to ${role}`,
    )
    const url = new URL(database.url)
    url.username = role
    url.password = SECRET
    const db = await database.open({}, url.href)
    expect((await migrate(db)).statements).toEqual([])
    await db.close()
    await database.run(`drop owned by ${role}; drop role ${role}`)
  })
})
