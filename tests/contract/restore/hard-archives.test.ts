import { open } from 'node:fs/promises'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { eq, sql as sqlText } from 'drizzle-orm'
import { beforeEach, describe, expect, test } from 'vitest'
import { archivedUsers } from '../../../src/users/archive/archived-users.ts'
import { openArchive } from '../../../src/users/archive/open-archive.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { LENGTH_AT, purgeInto, putBack, startsIn } from '../../support/archives.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { NOTE, NOTES } from '../../support/notes.ts'
import { expectRoundTrip } from '../../support/round-trip.ts'
import { allRowsOf, createSite, insert, rowsOf, siteIn } from '../../support/sites.ts'
import { addUser, addUsers } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** Writes over some bytes of the file. */
async function overwrite(path: string, at: number, bytes: number[]): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(Buffer.from(bytes), 0, bytes.length, at)
  await file.close()
}

async function shown(path: string): Promise<string[]> {
  const archive = await openArchive(path)
  const ids = []
  try {
    for await (const { id } of archivedUsers(archive)) ids.push(id)
  } finally {
    await archive.reader.close()
  }
  return ids
}

describeEachDatabase('a restoration', (harness) => {
  test('puts back all others when one cannot come back', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'create table orders (id {key}, user_id integer references auth_user (id) deferrable initially deferred)',
    )
    const [first = '', second = ''] = await addUsers(site, 2)
    for (const user_id of [first, second]) await insert(site, 'orders', { user_id })
    const [row] = (await rowsOf(site.db, 'auth_user')).filter(({ id }) => id === first)
    const { path } = await purgeInto(directory, site, { rules: { setNull: ['orders.user_id'] } })
    await addUser(site, { username: String(row?.username), email: 'taker@example.com' })
    const restored = await putBack(site, path)
    expect(restored).toMatchObject({
      restored: { auth_user: 1, account_emailaddress: 1 },
      relinked: { orders: 1 },
    })
    expect(restored.failed).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ user: first, table: 'auth_user' }),
        expect.objectContaining({
          table: 'orders',
          reason: 'a row that it referred to is not there: auth_user',
        }),
      ]),
    )
    expect((await rowsOf(site.db, 'orders')).map(({ user_id }) => user_id)).toEqual([null, second])
  })

  test('does not take a row of somebody else for the one that has its number', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', NOTE)
    const [bot = ''] = await addUsers(site, 1)
    const note = await insert(site, 'note', { user_id: bot, text: 'mine' })
    const { path } = await purgeInto(directory, site, NOTES)
    const reader = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await insert(site, 'note', { id: note, user_id: reader, text: 'another' })
    const { restored, failed } = await putBack(site, path)
    expect(restored).toEqual({ auth_user: 1, account_emailaddress: 1 })
    expect(failed).toEqual([{ user: bot, table: 'note', reason: 'taken already: note.id' }])
  })

  test('leaves a row alone that has only changed since', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', NOTE)
    const [bot = ''] = await addUsers(site, 1)
    await insert(site, 'note', { user_id: bot, text: 'mine' })
    const { path } = await purgeInto(directory, site, NOTES)
    await putBack(site, path)
    const { emailAddresses } = site.tables
    await site.db.update(emailAddresses).set({ verified: true }).where(eq(emailAddresses.user, bot))
    expect(await putBack(site, path)).toMatchObject({ restored: {}, failed: [], skipped: 3 })
  })

  test('stops at a signal, and goes on when it is run again', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUsers(site, 4)
    const before = await allRowsOf(site.db)
    const { path } = await purgeInto(directory, site, { size: 1 })
    const stopped = await putBack(site, path, { signal: AbortSignal.abort() })
    expect(stopped).toMatchObject({ restored: {}, stopped: 'interrupted' })
    expect(await putBack(site, path)).toMatchObject({ stopped: undefined })
    expect(await allRowsOf(site.db)).toEqual(before)
  })
})

describeDatabase('postgres', 'a restoration', (harness) => {
  test.each([1, 3])('goes on without a user who is refused at the end of a batch of %i', async (size) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const users = await addUsers(site, 3)
    const { path } = await purgeInto(directory, site, { size })
    await site.database.run(`create function refuse() returns trigger language plpgsql as
        $$begin raise 'not this one' using errcode = '22023'; end$$;
      create constraint trigger late after insert on auth_user deferrable initially deferred
        for each row when (new.id = ${users[1]}) execute function refuse()`)
    const { restored, failed } = await putBack(site, path)
    expect(restored).toMatchObject({ auth_user: 2 })
    expect(failed).toEqual([
      { user: users[1], table: '', reason: expect.stringMatching(/^could not be put back: /) },
    ])
    const left = await rowsOf(site.db, 'account_emailaddress')
    expect(left.map((row) => row.user_id)).toEqual([users[0], users[2]])
  })
})

describeDatabase('sqlite', 'a restoration', (harness) => {
  // A text that refers to a number of its own row: it is there, and SQLite does not let it come.
  test('goes on without a user who is refused when all are in', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table node (id integer primary key, n integer unique, user_id integer not null references auth_user (id),
        parent text references node (n) deferrable initially deferred);`,
    )
    const users = await addUsers(site, 5)
    await site.database.run(`pragma foreign_keys = off; insert into node values (1, 7, ${users[3]}, '7')`)
    const { path } = await purgeInto(directory, site, {
      rules: { cascade: ['node.user_id', 'node.parent'] },
      size: 5,
    })
    expect(await rowsOf(site.db, 'auth_user')).toEqual([])
    const { restored, failed } = await putBack(site, path)
    expect(restored).toEqual({ auth_user: 4, account_emailaddress: 4 })
    expect(failed).toEqual([
      { user: users[3], table: '', reason: 'could not be put back: a foreign key forbids it' },
    ])
    await site.database.run('drop table node')
    expect(await putBack(await siteIn(site.database), path)).toMatchObject({
      restored: { auth_user: 1, account_emailaddress: 1 },
      skipped: 8,
    })
  })
})

describeDatabase('sqlite', 'a damaged archive', (harness) => {
  const purged = async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const users = await addUsers(site, 3)
    const before = await allRowsOf(site.db)
    const { path } = await purgeInto(directory, site, { size: 1 })
    const [, ...batches] = await startsIn(path)
    return { site, users, before, path, batches }
  }

  describe.each<[string, number, number[]]>([
    ['that says it has no length', LENGTH_AT, [0, 0, 0, 0]],
    ['that says it is longer than the file', LENGTH_AT, [255, 255, 255, 127]],
    ['whose first byte is another', 0, [0]],
    ['with other bytes in the middle', 60, [1, 2, 3, 4, 5, 6, 7, 8]],
  ])('with a batch %s', (_, at, bytes) => {
    test('loses that batch only, and says so', async () => {
      const { site, users, path, batches } = await purged()
      await overwrite(path, (batches[1] ?? 0) + at, bytes)
      const { restored, failed, end } = await putBack(site, path)
      expect({ restored, end }).toEqual({ restored: { auth_user: 2, account_emailaddress: 2 }, end: 'whole' })
      expect(failed).toEqual([{ user: undefined, table: '', reason: 'batch 2 of the archive is damaged' }])
      expect((await rowsOf(site.db, 'auth_user')).map(({ id }) => id)).toEqual([users[0], users[2]])
      await expect(shown(path)).rejects.toThrow('1 of the 3 batches of the archive are damaged or missing: 2')
    })
  })
})

describeDatabase('sqlite', 'text of SQLite', (harness) => {
  test('comes back byte for byte, also when it is not UTF-8', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', NOTE)
    const [first, second] = await addUsers(site, 2)
    await site.database.run(`insert into note (user_id, text) values
      (${first}, cast(x'ff41fe' as text)), (${first}, cast(x'00c3' as text)), (${second}, 'Zoë'), (${second}, x'ff')`)
    const exact = async () => {
      const connection = await site.database.connect()
      return connection
        .rows('select id, typeof(text), hex(cast(text as blob)) from note order by id')
        .finally(() => connection.close())
    }
    const before = await exact()
    const { path } = await purgeInto(directory, site, NOTES)
    expect(await exact()).toEqual([])
    expect(await putBack(site, path)).toMatchObject({ failed: [] })
    expect(await exact()).toEqual(before)
  })

  test('comes back from a database in UTF-16', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', NOTE)
    const path = join(directory, 'utf-16.sqlite3')
    const wide = new Sqlite(path)
    wide.pragma("encoding = 'UTF-16le'")
    const connection = await site.database.connect()
    const ddl = await connection.rows<{ sql: string }>(
      `select sql from sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\'`,
    )
    await connection.close()
    for (const { sql } of ddl) wide.exec(sql)
    wide.close()
    const { openDatabase } = await import('../../../src/db/open.ts')
    const { siteOf } = await import('../../../src/site/site.ts')
    const db = await openDatabase({ kind: 'sqlite', path })
    const there = { ...(await siteOf(db)), database: site.database, url: path }
    const [user = ''] = await addUsers(there, 2)
    await insert(there, 'note', { user_id: user, text: 'Zoë \u{1F600}' })
    // Half of a pair, and one in the wrong order.
    await db.run(
      sqlText`insert into note (user_id, text) values (${user}, cast(x'00d8' as text)), (${user}, cast(x'3dd87800' as text))`,
    )
    const bytes = () => db.rows(sqlText`select id, hex(cast(text as blob)) as bytes from note order by id`)
    const written = await bytes()
    const before = await allRowsOf(db)
    const { path: archive } = await purgeInto(directory, there, NOTES)
    expect(await rowsOf(db, 'auth_user')).toEqual([])
    expect(await putBack(there, archive)).toMatchObject({ failed: [] })
    expect(await putBack(there, archive)).toMatchObject({ restored: {}, changed: 0, failed: [] })
    expect(await bytes()).toEqual(written)
    expect(await allRowsOf(db)).toEqual(before)
    await db.close()
  })
})

describeDatabase('sqlite', 'row ids', (harness) => {
  const HIDDEN = `create table node (id integer primary key, rowid integer, user_id integer references auth_user (id),
      up integer references node (id)); create index node_user on node (user_id); create index node_up on node (up);
    create table visit (rowid integer, oid text, user_id integer references auth_user (id), seen_by integer
      references auth_user (id)); create index visit_user on visit (user_id); create index visit_seen on visit (seen_by);`

  test('are not taken from a column that has their name', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', HIDDEN)
    const [user] = await addUsers(site, 1)
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await site.database.run(`insert into node values (1, 7, ${user}, null), (2, 7, ${kept}, null), (3, 7, null, null),
      (4, 8, ${user}, 1); insert into visit values (7, 'a', ${user}, null), (7, 'a', ${kept}, ${user}),
      (7, 'a', ${kept}, ${user}), (7, 'a', ${kept}, ${kept}), (8, 'b', ${user}, ${user})`)
    const rules = { cascade: ['node', 'visit.user_id'], setNull: ['visit.seen_by'] }
    const before = await allRowsOf(site.db)
    const { path, report } = await purgeInto(directory, site, { rules })
    expect(report).toMatchObject({
      tables: { node: 2, visit: 2 },
      nulled: { 'visit.seen_by': 2 },
      failed: [],
    })
    expect(await rowsOf(site.db, 'node')).toMatchObject([{ user_id: kept }, { user_id: null }])
    expect(await rowsOf(site.db, 'visit')).toMatchObject(Array(3).fill({ user_id: kept }))
    expect(await putBack(site, path)).toMatchObject({ failed: [] })
    const after = await allRowsOf(site.db)
    expect({ ...after, visit: after.visit?.map((row) => JSON.stringify(row)).sort() }).toEqual({
      ...before,
      visit: before.visit?.map((row) => JSON.stringify(row)).sort(),
    })
  })

  test('that columns hide altogether stop a purge before it begins', async () => {
    const all = 'create table visit (rowid int, oid int, _rowid_ int, user_id int references auth_user (id));'
    const site = await createSite(harness, 'django5.2-allauth65', all)
    await insert(site, 'visit', { user_id: (await addUsers(site, 1))[0] ?? '' })
    const plan = planPurge(site, criteria({ rules: { cascade: ['visit'] } }))
    await expect(plan).rejects.toThrow('the rows of visit cannot be told apart')
  })
})

describeDatabase('sqlite', 'tables WITHOUT ROWID', (harness) => {
  // "1" and 1 are two keys of one column without a type.
  const THREADS = `create table thread (part, no integer, user_id integer references auth_user (id),
    up_part, up_no integer, foreign key (up_part, up_no) references thread (part, no) deferrable initially deferred,
    primary key (part, no)) without rowid; create index thread_user on thread (user_id);
    create index thread_up on thread (up_part, up_no);`

  test('whose rows refer to each other go and come back', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', THREADS)
    const [user] = await addUsers(site, 1)
    const kept = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await site.database.run(`insert into thread values ('1', 1, ${user}, 1, 1), (1, 1, ${user}, '1', 1),
      (x'31', 9007199254740993, ${user}, 1, 1), ('ä', 2, null, 1, 1), ('other', 1, ${kept}, null, null)`)
    const plan = await expectRoundTrip(site, { cascade: ['thread'] })
    expect(plan.tables).toMatchObject({ thread: 4, auth_user: 1 })
  })
})
