import { randomBytes } from 'node:crypto'
import { appendFileSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import type { Db } from '../../../src/db/port.ts'
import type { RuleSettings } from '../../../src/site/rules.ts'
import { purgeInto as purgeAll, putBack } from '../../support/archives.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const purgeInto = (site: TestSite, rules: RuleSettings = {}, size = 2) =>
  purgeAll(directory, site, { rules, size })

function rowsIn(tables: Readonly<Record<string, number>>): number {
  return Object.values(tables).reduce((sum, rows) => sum + rows, 0)
}

/** Value and type, as the database itself sees them. */
async function exactlyOdd({ database }: TestSite) {
  const exact =
    database.kind === 'sqlite' ? 'value, quote(value), typeof(value), hex(value)' : 'value, length(value)'
  const connection = await database.connect()
  return connection.rows(`select n, ${exact} from odd order by n`).finally(() => connection.close())
}

/** The site with another port in its transactions. */
function withDb(site: TestSite, inTransaction: (tx: Db) => Db): TestSite {
  const { db } = site
  return {
    ...site,
    db: { ...db, transaction: (mode, work) => db.transaction(mode, (tx) => work(inTransaction(tx))) },
  }
}

const TABLES = (pick: <T>(values: { sqlite: T; postgres: T }) => T) => `
  create table blog_post (id {key}, author_id integer references auth_user (id) deferrable initially deferred,
    editor_id integer references auth_user (id) deferrable initially deferred, title text,
    ${pick({
      sqlite: 'ratio real, raw blob, any_value, twice integer generated always as (id * 2) stored',
      postgres: `ratio double precision, raw bytea, price numeric(30, 10), tags text[], data json, extra jsonb, span interval,
        day date, net inet, serial_no integer generated always as identity, twice integer generated always as (id * 2) stored`,
    })});
  create table blog_comment (id {key}, post_id integer references blog_post (id) deferrable initially deferred,
    parent_id integer references blog_comment (id) deferrable initially deferred);`

/** Users with dependents of every kind, whose values are hard to keep exactly. */
async function fill(site: TestSite): Promise<string[]> {
  const ids = []
  for (let i = 0; i < 5; i++) {
    ids.push(
      await addUser(site, { lastLogin: '2019-01-01T00:00:00.123456Z', firstName: 'O\'Hara \u{1F600}\n\t"' }),
    )
  }
  const stays = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
  const [a, b] = ids
  const post = await insert(site, 'blog_post', { author_id: a ?? null, editor_id: null, title: null })
  await site.database.run(
    site.database.kind === 'sqlite'
      ? `insert into blog_post (author_id, editor_id, title, ratio, raw, any_value) values
          (${stays}, ${b}, 'edited', 0.1, x'00ff', 9007199254740993), (${b}, ${a}, '', -1.5e300, null, 1),
          (${b}, null, 'x', 1, x'', 'text'), (${a}, null, 'y', null, null, 2.0)`
      : `insert into blog_post (author_id, editor_id, title, ratio, raw, price, tags, data, extra, span, day, net) values
          (${stays}, ${b}, 'edited', 0.1, '\\x00ff', 1.5000000000, '{}', '{"b":1, "a" :2}', '{"b":1,"a":2}', '1 mon 2 days', '2020-02-29', '::1'),
          (${b}, ${a}, '', 'NaN', null, 12345678901234567890.0123456789, '{"a,b","\\"q\\"",NULL}', null, 'null', '-1 sec', '-infinity', null)`,
  )
  const root = await insert(site, 'blog_comment', { post_id: post, parent_id: null })
  await insert(site, 'blog_comment', { post_id: null, parent_id: root })
  return ids
}

const RULES = { cascade: ['blog_post.author_id', 'blog_comment'], setNull: ['blog_post.editor_id'] }

describeEachDatabase('archive and restore', (harness) => {
  const filled = async () => {
    const site = await createSite(harness, 'django5.2-allauth65', TABLES(harness.pick))
    return { site, ids: await fill(site) }
  }

  test('after purge and restore every table is as it was, and a second restore changes nothing', async () => {
    const { site } = await filled()
    const before = await allRowsOf(site.db)
    const { path, report } = await purgeInto(site, RULES)
    expect(report).toMatchObject({ deleted: 5, failed: [] })
    expect(report.nulled).toEqual({ 'blog_post.editor_id': 1 })
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(1)
    const restored = await putBack(site, path)
    expect(restored).toMatchObject({ failed: [], skipped: 0, end: 'whole' })
    expect(restored.restored).toEqual(report.tables)
    expect(await allRowsOf(site.db)).toEqual(before)
    const again = await putBack(site, path)
    expect(again).toMatchObject({ restored: {}, relinked: {}, failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('numbers without a fraction in columns for those with one are found again when they are back', async () => {
    const type = harness.pick({ sqlite: 'real', postgres: 'double precision' })
    const owners = 'user_id integer references auth_user (id), editor_id integer references auth_user (id)'
    // SQLite returns integers for them when it deletes the row and looks in an index for what refers to it.
    const referring = (table: string) => `
      create table of_${table} (value ${type} references ${table} (value));
      create index of_${table}_value on of_${table} (value);`
    const tables = `
      create table reading (value ${type} unique, ${owners}); ${referring('reading')}
      create table level (value ${type} primary key, ${owners}); ${referring('level')}`
    const site = await createSite(harness, 'django5.2-allauth65', tables)
    const user = await addUser(site)
    for (const table of ['reading', 'level']) {
      const rows = ['100', '123456789012345680', '-0.5'].map((value) => `(${value}, ${user}, null)`)
      await site.database.run(`insert into ${table} values ${rows.join()}`)
    }
    const before = await allRowsOf(site.db)
    const { path, report } = await purgeInto(site, {
      cascade: ['reading.user_id', 'level.user_id'],
      setNull: ['reading.editor_id', 'level.editor_id'],
    })
    expect(report.tables).toMatchObject({ reading: 3, level: 3 })
    expect(await putBack(site, path)).toMatchObject({ restored: report.tables, failed: [] })
    expect(await putBack(site, path)).toMatchObject({
      restored: {},
      failed: [],
      skipped: rowsIn(report.tables),
      changed: 0,
    })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('a row that lost a reference before it went is as in the archive when both are back', async () => {
    const tables = `create table post (id {key}, author_id integer references auth_user (id),
      editor_id integer references auth_user (id));`
    const site = await createSite(harness, 'django5.2-allauth65', tables)
    const [editor, author] = [await addUser(site), await addUser(site)]
    await insert(site, 'post', { author_id: author, editor_id: editor })
    const before = await allRowsOf(site.db)
    const rules = { cascade: ['post.author_id'], setNull: ['post.editor_id'] }
    const { path } = await purgeInto(site, rules, 1)
    expect(await putBack(site, path)).toMatchObject({ relinked: { post: 1 }, failed: [] })
    expect(await putBack(site, path)).toMatchObject({ restored: {}, relinked: {}, changed: 0, failed: [] })
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('of the rows that are there, those that are not as in the archive are told', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const [one] = [await addUser(site), await addUser(site)]
    const older = await purgeInto(site)
    await putBack(site, older.path)
    await site.database.run(`update auth_user set first_name = 'New' where id = ${one}`)
    const newer = await purgeInto(site)
    await putBack(site, older.path)
    expect(await putBack(site, newer.path)).toMatchObject({
      restored: {},
      skipped: 4,
      changed: 1,
      failed: [],
    })
  })

  test('a batch comes back in a few statements, however many rows it has', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    for (let i = 0; i < 40; i++) await addUser(site)
    const { path } = await purgeInto(site, {}, 40)
    let statements = 0
    const counting = withDb(site, (tx) => ({
      ...tx,
      rows: (query) => count(() => tx.rows(query)),
      run: (query) => count(() => tx.run(query)),
      changes: (query) => count(() => tx.changes(query)),
    }))
    function count<T>(work: () => T): T {
      statements += 1
      return work()
    }
    expect((await putBack(counting, path)).restored).toEqual({ auth_user: 40, account_emailaddress: 40 })
    expect(statements).toBeLessThan(40)
  })

  test('a batch that is in a deadlock is tried again', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    for (let i = 0; i < 3; i++) await addUser(site)
    const { path } = await purgeInto(site)
    let deadlocks = 3
    const transaction: Db['transaction'] = (mode, work) =>
      deadlocks-- > 0
        ? Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }))
        : site.db.transaction(mode, work)
    const report = await putBack({ ...site, db: { ...site.db, transaction } }, path)
    expect(report).toMatchObject({ restored: { auth_user: 3, account_emailaddress: 3 }, failed: [] })
  })

  test('what no database has said ends a restoration: it is a bug', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site)
    const { path } = await purgeInto(site)
    const bug = new TypeError('a bug')
    const fromImages = () => {
      throw bug
    }
    const broken = withDb(site, (tx) => ({ ...tx, dialect: { ...tx.dialect, fromImages } }))
    await expect(putBack(broken, path)).rejects.toBe(bug)
    expect(await rowsOf(site.db, 'auth_user')).toEqual([])
  })

  test('the file is for its owner only, readable with zcat, and holds no password of the database', async () => {
    const { site } = await filled()
    const { path } = await purgeInto(site, RULES)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
    const lines = gunzipSync(await readFile(path))
      .toString()
      .trimEnd()
      .split('\n')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ format: 1, users: 'auth_user' })
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ end: 'done', batches: 3, users: 5 })
    expect(lines.length).toBeGreaterThan(15)
  })

  test('one user comes back with everything that was theirs, and nobody else', async () => {
    const { site, ids } = await filled()
    const { path } = await purgeInto(site, RULES)
    const [only = ''] = ids
    const report = await putBack(site, path, { users: [only] })
    expect(report.failed).toEqual([])
    expect(report.restored).toMatchObject({ auth_user: 1, account_emailaddress: 1, blog_comment: 2 })
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.id)).toContain(only)
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(2)
  })

  test('a dry run of restore says the same and changes nothing', async () => {
    const { site } = await filled()
    const { path, report } = await purgeInto(site, RULES)
    const before = await allRowsOf(site.db)
    expect((await putBack(site, path, { dryRun: true })).restored.auth_user).toBe(report.deleted)
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('what is taken by now is reported with its user, and the others come back', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const taken = await addUser(site, { username: 'taken' })
    const other = await addUser(site, { username: 'other' })
    const { path } = await purgeInto(site)
    await site.database.run(`insert into auth_user (id, password, is_superuser, username, first_name, last_name, email,
      is_staff, is_active, date_joined) values (999, '', false, 'taken', '', '', '', false, true, '2026-01-01 00:00:00')`)
    const report = await putBack(site, path)
    expect(report.restored).toEqual({ auth_user: 1, account_emailaddress: 1 })
    expect(report.failed).toEqual([
      { user: taken, table: 'auth_user', reason: 'taken already: auth_user.username' },
      {
        user: taken,
        table: 'account_emailaddress',
        reason: 'a row it depends on is not there: auth_user',
      },
    ])
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.id)).toEqual([other, '999'])
  })

  test('of a large batch only the rows that are missing are put back', async () => {
    const { site, ids } = await filled()
    const before = await allRowsOf(site.db)
    const { path, report } = await purgeInto(site, RULES, 1_000)
    let there = 0
    for (const id of ids.slice(0, 2)) there += rowsIn((await putBack(site, path, { users: [id] })).restored)
    const rest = await putBack(site, path)
    expect(rest.failed).toEqual([])
    expect(rest.restored.auth_user).toBe(3)
    expect(rowsIn(rest.restored)).toBe(rowsIn(report.tables) - there)
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('rows of tables without a primary key come back as often as there were some, however often one asks', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table visit (user_id integer references auth_user (id) deferrable initially deferred, page text, data json);
      create index visit_user on visit (user_id);
      create table note (body text, data json, twice text generated always as (body || body) stored,
        reviewer_id integer references auth_user (id) deferrable initially deferred);
      create index note_reviewer on note (reviewer_id);`,
    )
    const [a, b] = [await addUser(site), await addUser(site)]
    await site.database.run(`
      insert into visit values (${a}, 'home', '{"a": 1}'), (${a}, 'home', '{"a": 1}'), (${a}, 'home', null),
        (${b}, 'home', '{"a": 1}'), (${b}, null, '{"a":1}');
      insert into note (body, data, reviewer_id) values ('gone before', '[]', null), ('twin', '[1]', ${a}),
        ('twin', '[1]', ${a}), ('twin', '[1]', null), ('twin', '[1]', ${b}), (null, null, ${b})`)
    const rows = async () => {
      const connection = await site.database.connect()
      const texts = async (columns: string, table: string) =>
        (await connection.rows(`select ${columns}, cast(data as text) as json from ${table}`))
          .map((row) => Object.values(row).join())
          .sort()
      const found = {
        visits: await texts('user_id, page', 'visit'),
        notes: await texts('reviewer_id, body, twice', 'note'),
      }
      await connection.close()
      return found
    }
    const before = await rows()
    const { path, report } = await purgeInto(site, { cascade: ['visit'], setNull: ['note.reviewer_id'] })
    expect(report).toMatchObject({ tables: { visit: 5 }, nulled: { 'note.reviewer_id': 4 } })
    await site.database.run(`delete from note where body = 'gone before'`)
    // Whoever is put in order like that gets another place in the file.
    if (harness.kind === 'sqlite') await site.database.run('vacuum')
    await putBack(site, path, { users: [b] })
    expect(await putBack(site, path)).toMatchObject({
      restored: { visit: 3 },
      relinked: { note: 2 },
      failed: [],
    })
    const after = {
      ...before,
      notes: before.notes.filter((row) => !row.includes('gone before')),
    }
    expect(await rows()).toEqual(after)
    expect(await putBack(site, path)).toMatchObject({ restored: {}, relinked: {}, failed: [] })
    expect(await rows()).toEqual(after)
  })

  test('without a primary key, what other batches have cleared does not come back twice', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table note (user_id integer references auth_user (id) deferrable initially deferred,
        editor_id integer references auth_user (id) deferrable initially deferred, body text);
      create table pair (a integer references auth_user (id) deferrable initially deferred,
        b integer references auth_user (id) deferrable initially deferred, body text);`,
    )
    const [a, b] = [await addUser(site), await addUser(site)]
    await site.database.run(`insert into note values (${b}, ${a}, 'x'), (${b}, null, 'x'), (${b}, ${a}, 'y');
      insert into pair values (${a}, ${b}, 'x'), (${b}, ${a}, 'x'), (${a}, ${a}, 'x'), (${a}, null, 'x')`)
    const rows = async () => {
      const connection = await site.database.connect()
      const texts = [
        await connection.rows('select * from note order by user_id, editor_id, body'),
        await connection.rows('select * from pair order by a, b, body'),
      ]
      await connection.close()
      return texts
    }
    const before = await rows()
    const rules = { cascade: ['note.user_id'], setNull: ['note.editor_id', 'pair.a', 'pair.b'] }
    const { path } = await purgeInto(site, rules, 1)
    for (let times = 0; times < 3; times++) {
      expect((await putBack(site, path)).failed).toEqual([])
      expect(await rows()).toEqual(before)
    }
  })

  test('values that are hard to hand over come back as they were', async () => {
    const awkward = harness.pick({
      sqlite: `(1, 9007199254740993), (2, -9223372036854775808), (3, 0.1), (4, 2.0), (5, 1e308), (6, 5e-324), (14, -0.0),
        (7, x''), (8, x'00ff'), (9, 'a' || char(0) || 'b'), (10, '007'), (11, '{"i":"1"}'), (12, null), (13, '')`,
      postgres: `(1, '{"i":"1"}'), (2, E'\\\\u0041"\\\\'), (3, null), (4, ''), (5, E'\\t\\n\\x01'), (6, '😀')`,
    })
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table odd (n integer primary key, value ${harness.pick({ sqlite: '', postgres: 'text' })},
        user_id integer references auth_user (id));
      create index odd_user on odd (user_id);`,
    )
    const user = await addUser(site)
    await site.database.run(`insert into odd (n, value) values ${awkward}; update odd set user_id = ${user}`)
    const before = await exactlyOdd(site)
    const { path, report } = await purgeInto(site, { cascade: ['odd'] })
    expect(report.tables.odd).toBe(before.length)
    await putBack(site, path)
    expect(await exactlyOdd(site)).toEqual(before)
  })

  test('an archive that cannot be written stops the purge before anything is deleted', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site)
    await writeFile(join(directory, 'archive'), 'a file where the directory should be')
    await expect(purgeInto(site)).rejects.toThrow(/cannot be written/)
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(1)
  })

  test.each<[string, string, (path: string) => void]>([
    ['removes', 'it has been removed', (path) => rmSync(path)],
    ['cuts', 'somebody else has changed it', (path) => truncateSync(path)],
    ['writes into', 'somebody else has changed it', (path) => appendFileSync(path, 'mine')],
  ])(
    'an archive that somebody %s stops the purge: nobody goes into it who cannot come back',
    async (_, why, disturb) => {
      const { site } = await filled()
      const { path, report } = await purgeAll(directory, site, {
        rules: RULES,
        size: 1,
        onProgress: ({ done }) => {
          const [file = ''] = readdirSync(join(directory, 'archive'))
          if (done === 2) disturb(join(directory, 'archive', file))
        },
      })
      expect(report).toMatchObject({ deleted: 2, failed: [] })
      expect(report.stopped).toMatchObject({
        error: { message: `the archive ${path} cannot be written: ${why}` },
      })
      expect(await rowsOf(site.db, 'auth_user')).toHaveLength(4)
    },
  )

  test('a file that is no archive is refused', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const path = join(directory, 'noise')
    await writeFile(path, randomBytes(1000))
    await expect(putBack(site, path)).rejects.toThrow(/not an archive/)
    await expect(putBack(site, join(directory, 'nothing'))).rejects.toThrow(/cannot be read/)
    expect(await readdir(directory)).toEqual(['noise'])
  })
})
