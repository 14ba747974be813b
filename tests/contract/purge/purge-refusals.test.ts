import { beforeEach, expect, test } from 'vitest'
import { purgeInto, putBack, startsIn } from '../../support/archives.ts'
import { NO_GUARDS } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { NOTE, NOTES } from '../../support/notes.ts'
import { createSite, insert, rowsOf, withTables } from '../../support/sites.ts'
import { addUsers } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const MEGABYTES = 1024 * 1024

describeEachDatabase('a purge', (harness) => {
  test.each([
    ['a column', 'alter table auth_user add column phone varchar(20)'],
    ['a table that refers to users', `${NOTE} insert into note (user_id) select id from auth_user`],
  ])('stops when %s has come since the plan', async (_, ddl) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUsers(site, 3)
    const meanwhile = () => site.database.run(ddl)
    const { report } = await purgeInto(directory, site, { meanwhile })
    expect(report).toMatchObject({
      deleted: 0,
      stopped: {
        error: { kind: 'refused', message: 'the tables of the site have changed since the plan was made' },
      },
    })
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(3)
    expect(await rowsOf(site.db, 'account_emailaddress')).toHaveLength(3)
  })

  test('does not call somebody deleted whom a trigger keeps', async () => {
    const empty = await createSite(harness, 'django5.2-allauth65')
    const [kept = '', other = ''] = await addUsers(empty, 2)
    const site = await withTables(
      empty,
      harness.pick({
        sqlite: `create trigger soft before delete on auth_user when old.id = ${kept} begin select raise(ignore); end`,
        postgres: `create function soft() returns trigger language plpgsql as
            $$ begin if old.id = ${kept} then return null; end if; return old; end $$;
          create trigger soft before delete on auth_user for each row execute function soft();`,
      }),
    )
    const { report } = await purgeInto(directory, site)
    expect(report).toMatchObject({
      deleted: 1,
      failed: [{ id: kept, reason: 'a trigger of the database refused it' }],
    })
    expect(await rowsOf(site.db, 'auth_user')).toMatchObject([{ id: kept }])
    expect(await rowsOf(site.db, 'account_emailaddress')).toMatchObject([{ user_id: kept }])
    expect(other).not.toBe(kept)
  })

  test.each([1, 10])('keeps whom it could not put back, %i in a batch', async (size) => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table token (id {key}, user_id integer references auth_user (id), app_id integer references auth_group (id),
         up_id integer references token (id));
       create index token_user on token (user_id); create index token_up on token (up_id);`,
    )
    const [first = '', second = '', third = ''] = await addUsers(site, 3)
    const row = (user: string, app: string, up: string) =>
      `insert into token (user_id, app_id, up_id) values (${user}, ${app}, ${up});`
    const rows = `${row(first, 'null', 'null')} ${row(second, '77', 'null')} ${row(third, 'null', '88')}`
    await site.database.run(
      harness.pick({
        sqlite: `pragma foreign_keys = off; ${rows}`,
        postgres: `alter table token disable trigger all; ${rows} alter table token enable trigger all;`,
      }),
    )
    const rules = { cascade: ['token'] }
    const { path, report } = await purgeInto(directory, site, { rules, guards: NO_GUARDS, size })
    const lost = (column: string, table: string) =>
      `could not be put back: token.${column} refers to a row of ${table} that is not there`
    expect(report).toMatchObject({
      deleted: 1,
      failed: [
        { id: second, reason: lost('app_id', 'auth_group') },
        { id: third, reason: lost('up_id', 'token') },
      ],
    })
    expect((await rowsOf(site.db, 'auth_user')).map(({ id }) => id)).toEqual([second, third])
    expect(await rowsOf(site.db, 'token')).toHaveLength(2)
    expect(await putBack(site, path)).toMatchObject({ restored: { auth_user: 1, token: 1 }, failed: [] })
  })

  test('keeps whom it could not put back for a user who was missing all along', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table invitation (id {key}, sender_id integer references auth_user (id), guest_id integer references auth_user (id));
       create index invitation_sender on invitation (sender_id); create index invitation_guest on invitation (guest_id);`,
    )
    const [first = '', second = '', third = ''] = await addUsers(site, 3)
    const rows = `insert into invitation (sender_id, guest_id) values (77, ${first}), (${second}, 88), (${third}, ${third});`
    await site.database.run(
      harness.pick({
        sqlite: `pragma foreign_keys = off; ${rows}`,
        postgres: `alter table invitation disable trigger all; ${rows} alter table invitation enable trigger all;`,
      }),
    )
    const rules = { cascade: ['invitation'] }
    const { report } = await purgeInto(directory, site, { rules, guards: NO_GUARDS })
    expect(report).toMatchObject({
      deleted: 1,
      failed: [
        { id: first, reason: expect.stringContaining('invitation.sender_id') },
        { id: second, reason: expect.stringContaining('invitation.guest_id') },
      ],
    })
    expect(await rowsOf(site.db, 'invitation')).toHaveLength(2)
  })

  test('of users with a lot of text is archived in pieces that can be read again', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', NOTE)
    const text = 'x'.repeat(20 * MEGABYTES)
    for (const user_id of await addUsers(site, 5)) await insert(site, 'note', { user_id, text })
    const { path, report } = await purgeInto(directory, site, { ...NOTES, size: 10 })
    expect(report).toMatchObject({ deleted: 5, failed: [] })
    expect((await startsIn(path)).length).toBeGreaterThan(2)
    expect(await putBack(site, path)).toMatchObject({ restored: { auth_user: 5, note: 5 }, failed: [] })
  })
})

describeDatabase('postgres', 'a purge', (harness) => {
  test('stops when a foreign key does something else than it did for the plan', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', NOTE)
    await addUsers(site, 3)
    const meanwhile = () =>
      site.database.run(`alter table note drop constraint note_user_id_fkey;
        alter table note add foreign key (user_id) references auth_user (id) on delete cascade`)
    const { report } = await purgeInto(directory, site, { meanwhile })
    expect(report).toMatchObject({ deleted: 0, stopped: { error: { kind: 'refused' } } })
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(3)
  })
})
