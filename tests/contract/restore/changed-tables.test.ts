import { beforeEach, expect, test } from 'vitest'
import { purgeInto, putBack } from '../../support/archives.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, insert, rowsOf, siteIn } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const SITE = 'django5.2-allauth65'

describeEachDatabase('an archive', (harness) => {
  const noteOf = (type: string, column = 'text') =>
    `create table note (id {key}, user_id integer references auth_user (id), ${column} ${type})`

  async function purgedNotes(texts: readonly string[]) {
    const site = await createSite(harness, SITE, noteOf('varchar(40)'))
    const users: string[] = []
    for (const text of texts) {
      users.push(await addUser(site))
      await insert(site, 'note', { user_id: users.at(-1) ?? '', text })
    }
    const { path } = await purgeInto(directory, site, { rules: { cascade: ['note'] }, size: 10 })
    return { site, users, path }
  }

  test('is put back into a column that has become wider', async () => {
    const { site, path } = await purgedNotes(['00123', 'Zoë'])
    await site.database.run(`drop table note; ${noteOf('varchar(80)')}`)
    expect(await putBack(await siteIn(site.database), path)).toMatchObject({
      restored: { note: 2, auth_user: 2 },
      failed: [],
    })
    expect((await rowsOf(site.db, 'note')).map(({ text }) => text).sort()).toEqual(['00123', 'Zoë'])
  })

  test('is not put back where a column has come that needs a value, and says which', async () => {
    const { site, users, path } = await purgedNotes(['00123'])
    await site.database.run(`drop table note; create table note
      (id {key}, user_id integer references auth_user (id), text varchar(40), pages integer not null)`)
    expect(await putBack(await siteIn(site.database), path)).toMatchObject({
      restored: { auth_user: 1, account_emailaddress: 1 },
      failed: [
        { user: users[0], table: 'note', reason: 'a column that has come since needs a value: pages' },
      ],
    })
  })

  test('is not put back as something else', async () => {
    const { site, users, path } = await purgedNotes(['00123', '7'])
    const narrow = harness.pick({ sqlite: 'integer', postgres: 'varchar(3)' })
    await site.database.run(`drop table note; ${noteOf(narrow)}`)
    const { restored, failed } = await putBack(await siteIn(site.database), path)
    const kept = harness.pick({ sqlite: 0, postgres: 1 })
    expect(restored).toEqual({ auth_user: 2, account_emailaddress: 2, ...(kept ? { note: kept } : {}) })
    const reason = 'the type of a column has changed, and would change its value: text'
    expect(failed).toContainEqual({ user: users[0], table: 'note', reason })
    expect(await rowsOf(site.db, 'note')).toHaveLength(kept)
  })

  test('knows its users again when the model has got a date_joined since', async () => {
    const site = await createSite(harness, 'custom-member')
    await addUser(site, { password: 'md5$salt$bot' })
    const { path } = await purgeInto(directory, site)
    await site.database.run('alter table people_member add column date_joined {instant}')
    const now = await siteIn(site.database)
    await putBack(now, path)
    await site.database.run("update people_member set last_login = '2026-05-05 00:00:00'")
    expect(await putBack(now, path)).toMatchObject({ restored: {}, skipped: 2, changed: 1, failed: [] })
  })
})

describeDatabase('postgres', 'a unique constraint that is checked at COMMIT', (harness) => {
  const NICKS = `alter table auth_user add nick text, add constraint "Nick" unique (nick) deferrable initially deferred;
    create table seat (id integer primary key deferrable, no integer, user_id integer references auth_user (id),
      exclude (no with =) deferrable initially deferred);`

  async function purgedSeats() {
    const site = await createSite(harness, SITE, NICKS)
    const users = [await addUser(site), await addUser(site)]
    for (const [i, user_id] of users.entries()) {
      await insert(site, 'seat', { id: String(i), no: String(i), user_id })
      await site.database.run(`update auth_user set nick = 'nick-${i}' where id = ${user_id}`)
    }
    const before = await allRowsOf(site.db)
    const { path, report } = await purgeInto(directory, site, { rules: { cascade: ['seat'] }, size: 10 })
    expect(report).toMatchObject({ deleted: 2, failed: [] })
    return { site, users, before, path }
  }

  test('lets everybody come back, once', async () => {
    const { site, before, path } = await purgedSeats()
    expect(await putBack(site, path)).toMatchObject({ restored: { auth_user: 2, seat: 2 }, failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
    expect(await putBack(site, path)).toMatchObject({ restored: {}, failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('keeps out only what is taken by now', async () => {
    const { site, users, path } = await purgedSeats()
    const newcomer = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await site.database.run(`update auth_user set nick = 'nick-0' where id = ${newcomer}`)
    await insert(site, 'seat', { id: '7', no: '1', user_id: newcomer })
    const { failed } = await putBack(site, path)
    expect(failed).toContainEqual({
      user: users[0],
      table: 'auth_user',
      reason: 'taken already: auth_user.nick',
    })
    expect(failed).toContainEqual({ user: users[1], table: 'seat', reason: 'taken already: seat.no' })
    expect((await rowsOf(site.db, 'auth_user')).map(({ nick }) => nick).sort()).toEqual(['nick-0', 'nick-1'])
  })
})
