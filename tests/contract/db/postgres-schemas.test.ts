import { expect, test } from 'vitest'
import { describeDatabase } from '../../support/databases.ts'
import { createSite, rowsOf, siteIn, siteInSchema } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const APP = { schema: 'app' }

describeDatabase('postgres', 'a site in a schema of its own', (harness) => {
  test.each(['django5.2-allauth65', 'custom-member'] as const)('%s on the search path', async (name) => {
    const site = await siteInSchema(harness, name, APP)
    expect(site.shape.users.schema).toBeUndefined()
    const key = await addUser(site)
    expect(
      await site.db.select({ user: site.tables.emailAddresses.user }).from(site.tables.emailAddresses),
    ).toEqual([{ user: key }])
    const other = await site.database.connect()
    expect(await other.rows('select id from app.account_emailaddress')).toHaveLength(1)
  })

  test('off the search path it is found by its full name', async () => {
    const { database } = await siteInSchema(harness, 'django5.2-allauth65', APP)
    const site = await siteIn(database, { emailAddresses: 'app.account_emailaddress' })
    expect(site.shape.users).toMatchObject({ label: 'app.auth_user', schema: 'app' })
    expect(site.shape.confirmations?.label).toBe('app.account_emailconfirmation')
    expect(site.shape.socialAccounts?.label).toBe('app.socialaccount_socialaccount')
    const key = await addUser(site)
    expect(await site.db.select({ key: site.tables.users.key }).from(site.tables.users)).toEqual([{ key }])
    expect(await rowsOf(site.db, 'app.auth_user')).toMatchObject([{ id: key }])
  })

  test('off the search path its own social accounts count, not those of a site on it', async () => {
    const { database } = await siteInSchema(harness, 'django5.2-allauth65', APP)
    await database.run(`create table public.account_emailconfirmation (like app.account_emailconfirmation);
      create table public.socialaccount_socialaccount (like app.socialaccount_socialaccount)`)
    const { shape } = await siteIn(
      { ...database, db: await database.open({}, `${database.url}?options=-c%20search_path%3Dpublic`) },
      { emailAddresses: 'app.account_emailaddress' },
    )
    expect(shape.confirmations?.label).toBe('app.account_emailconfirmation')
    expect(shape.socialAccounts?.label).toBe('app.socialaccount_socialaccount')
  })

  test('users in public, off the search path', async () => {
    const database = await harness.empty()
    await database.run(`create table person (id {key}, password text not null, last_login {instant});
      create schema app;
      create table app.account_emailaddress (id {key}, email text not null, verified boolean not null,
        "primary" boolean not null, user_id integer not null references public.person (id))`)
    const url = `${database.url}?options=-c%20search_path%3Dapp`
    const site = await siteIn({ ...database, url, db: await database.open({}, url) })
    expect(site.shape.users.label).toBe('public.person')
    const key = await addUser(site)
    expect(await site.db.select({ key: site.tables.users.key }).from(site.tables.users)).toEqual([{ key }])
  })

  test('of two sites in one database the search path chooses', async () => {
    const first = await siteInSchema(harness, 'custom-bare', APP)
    await addUser(first)
    await first.database.run(`create schema tenant; create table tenant.account_emailaddress
      (like app.account_emailaddress including all); create table tenant.login (like app.login including all);
      alter table tenant.account_emailaddress add foreign key (user_id) references tenant.login (id)`)
    const url = first.url.replace('app', 'tenant')
    const second = await siteIn({ ...first.database, url, db: await first.database.open({}, url) })
    expect(second.shape.users.label).toBe('login')
    expect(await second.db.$count(second.tables.users)).toBe(0)
    expect(await first.db.$count(first.tables.users)).toBe(1)
  })

  test('a trigger on a table of another schema is none of its own, nor one that is switched off', async () => {
    const { db, database, shape } = await siteInSchema(harness, 'django5.2-allauth65', APP)
    await database.run(`create function watch() returns trigger language plpgsql as 'begin return old; end';
      create trigger own before delete on app.auth_user for each row execute function watch();
      create trigger idle before delete on app.auth_user for each row execute function watch();
      alter table app.auth_user disable trigger idle;
      create table public.auth_user (id integer);
      create trigger foreign_one before delete on public.auth_user for each row execute function watch()`)
    expect(await db.dialect.triggers(db, [shape.users])).toEqual([{ table: 'auth_user', name: 'own' }])
  })

  test('a trigger on a partition is one of the whole table', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table event (user_id integer, day integer) partition by list (day);
      create table event_old partition of event for values in (1) partition by list (user_id);
      create table event_old_1 partition of event_old for values in (1);
      create table event_new partition of event for values in (2);
      create function watch() returns trigger language plpgsql as 'begin return null; end';
      create trigger everywhere after delete on event for each row execute function watch();
      create trigger below after delete on event_old_1 for each row execute function watch()`,
    )
    const event = site.shape.catalog.tables.get('event')
    if (!event) throw new Error('the table is not there')
    expect(await site.db.dialect.triggers(site.db, [event])).toEqual([
      { table: 'event', name: 'below' },
      { table: 'event', name: 'everywhere' },
    ])
  })
})
