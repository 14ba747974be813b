import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import { usermgmt } from '../cli/run.ts'
import type { Checked, Confirmed, LoggedIn, SignedUp } from './answers.ts'
import { describeEachSite } from './each-database.ts'
import { djangoSite } from './site-runner.ts'

const PASSWORD = 'correct horse battery'

async function migrate(database: string): Promise<void> {
  expect((await usermgmt(['--database', database, 'migrate'])).exit).toBe(0)
}

const DEFINITIONS = {
  sqlite: "select coalesce(sql, name) as text from sqlite_schema where tbl_name not like 'usermgmt%'",
  postgres: `
    select indexdef as text from pg_indexes where schemaname = 'public' and tablename not like 'usermgmt%'
    union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'usermgmt%'
    union all select concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
        pg_get_expr(adbin, adrelid))
      from pg_attribute join pg_class c on c.oid = attrelid left join pg_attrdef d on adrelid = attrelid and adnum = attnum
      where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped and relname not like 'usermgmt%'`,
}

/** What the database says that it was made by, in no order. */
async function definitionsIn(database: string): Promise<string[]> {
  const db = await openDatabase(parseDatabaseUrl(database, '/'))
  const rows = await db.rows<{ text: string }>(sql.raw(DEFINITIONS[db.dialect.name]))
  await db.close()
  return rows.map(({ text }) => text).sort()
}

describeEachSite('a database that migrate makes', (databases) => {
  test('is adopted by Django', async () => {
    const site = djangoSite({ database: await databases.empty() })
    await migrate(site.database)
    const applied = await site.manage(['migrate'])
    // Only the site's own app is left to migrate.
    expect(applied.match(/Applying \S+/g)).toEqual(['Applying blog.0001_initial...'])
    expect(await site.manage(['migrate'])).toContain('No migrations to apply')
    await site.manage(['makemigrations', '--check', '--dry-run'])

    expect(await site.ask<Checked>(['checks'])).toMatchObject({
      pending_migrations: [],
      check_ok: true,
      sites: [{ id: 1, domain: 'example.com' }],
    })
  })

  test('has the content types and permissions that Django makes', async () => {
    const ours = djangoSite({ database: await databases.empty() })
    await migrate(ours.database)
    await ours.manage(['migrate'])
    const theirs = djangoSite({ database: await databases.migrated() })
    expect(await ours.ask(['checks'])).toEqual(await theirs.ask(['checks']))
  })

  test('has the schema that Django makes, names included', async () => {
    const ours = djangoSite({ database: await databases.empty() })
    await migrate(ours.database)
    await ours.manage(['migrate'])
    expect(await definitionsIn(ours.database)).toEqual(await definitionsIn(await databases.migrated()))
  })

  test('lets people sign up, confirm and log in', async () => {
    const site = djangoSite({ database: await databases.empty() })
    await migrate(site.database)
    await site.manage(['migrate'])
    const [signedUp] = await site.askAll<[SignedUp]>([
      { args: ['signup', '--username', 'ann', '--email', 'ann@example.com', '--password', PASSWORD] },
    ])
    expect(signedUp).toMatchObject({ created: true, address: { verified: false, primary: true }, mails: 1 })
    const [url = ''] = signedUp.confirmation_urls
    const [confirmed, loggedIn] = await site.askAll<[Confirmed, LoggedIn]>([
      { args: ['confirm', '--url', url] },
      { args: ['login', '--user', 'ann', '--password', PASSWORD] },
    ])
    expect(confirmed).toMatchObject({ verified: true, addresses: ['ann@example.com'] })
    expect(loggedIn).toMatchObject({ authenticate: true, allauth_username: true, allauth_email: true })
  })

  test('has its confirmations in the table when the site wants them there', async () => {
    const site = djangoSite({ database: await databases.empty(), env: { SITE_CONFIRMATION_HMAC: 'off' } })
    await migrate(site.database)
    await site.manage(['migrate'])
    const signedUp = await site.ask<SignedUp>([
      ...['signup', '--username', 'ann', '--email', 'ann@example.com', '--password', PASSWORD],
    ])
    const [url = ''] = signedUp.confirmation_urls
    expect(await site.ask<Confirmed>(['confirm', '--url', url])).toMatchObject({ verified: true })
  })

  test('works before Django has seen it, and after', async () => {
    const site = djangoSite({ database: await databases.empty() })
    const create = (name: string) =>
      usermgmt(
        [
          ...['--database', site.database, 'create-user', name, '--email', `${name}@example.com`],
          ...['--verified', '--password-stdin'],
        ],
        { stdin: PASSWORD },
      )
    await migrate(site.database)
    expect((await create('before')).exit).toBe(0)
    await site.manage(['migrate'])
    expect((await create('after')).exit).toBe(0)
    const login = (name: string) => ({ args: ['login', '--user', name, '--password', PASSWORD] })
    expect(await site.askAll<LoggedIn[]>([login('before'), login('after')])).toMatchObject([
      { allauth_username: true },
      { allauth_email: true },
    ])
  })
})

describeEachSite('a site that migrate adds its tables to', (databases) => {
  test('does not notice', async () => {
    const site = djangoSite({ database: await databases.migrated() })
    const before = await site.askAll([{ args: ['dump_tables'] }, { args: ['checks'] }])
    await migrate(site.database)
    expect(await site.askAll([{ args: ['dump_tables'] }, { args: ['checks'] }])).toEqual(before)
    expect(await site.manage(['migrate'])).toContain('No migrations to apply')
  })
})
