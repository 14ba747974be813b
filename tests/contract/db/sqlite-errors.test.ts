import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { databaseFault } from '../../../src/db/errors.ts'
import { describeDatabase, type TestDatabase } from '../../support/databases.ts'
import { ask, errorOf, SECRET, SECRET_TABLES, wordsOf } from '../../support/errors.ts'

describeDatabase('sqlite', 'errors', (harness) => {
  const fileOf = (database: TestDatabase) => database.url.replace(/^sqlite:/, '')

  test('no file', async () => {
    const database = await harness.empty()
    const path = join(dirname(fileOf(database)), 'missing.sqlite3')
    const { message, hint } = await wordsOf(() => database.open({}, path))
    expect(message).toBe(`there is no database file at ${path}`)
    expect(hint).toContain('--database')
  })

  test('no directory to make the file in', async () => {
    const database = await harness.empty()
    const directory = join(dirname(fileOf(database)), 'missing')
    const { message } = await wordsOf(() => database.open({ create: true }, join(directory, 'new.sqlite3')))
    expect(message).toBe(`there is no directory ${directory}`)
  })

  test('a file where a directory should be', async () => {
    const database = await harness.empty()
    const path = join(fileOf(database), 'db.sqlite3')
    const { message } = await wordsOf(() => database.open({}, path))
    expect(message).toBe(`${path} cannot be reached`)
  })

  test('a directory', async () => {
    const database = await harness.empty()
    const path = `${fileOf(database)}.d`
    await mkdir(path)
    const { message } = await wordsOf(() => database.open({}, path))
    expect(message).toBe(`${path} is a directory, not a SQLite database`)
  })

  test('another kind of file', async () => {
    const database = await harness.empty()
    const path = `${fileOf(database)}.txt`
    await writeFile(path, 'dear diary\n'.repeat(200))
    const { message } = await wordsOf(() => ask(database, path), path)
    expect(message).toBe(`${path} is not a SQLite database`)
  })

  test('a damaged file', async () => {
    const database = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const path = `${fileOf(database)}.damaged`
    await copyFile(fileOf(database), path)
    // The header still says SQLite; the first page of the schema does not.
    await writeFile(path, Buffer.alloc(4000, 0xff), { flag: 'r+' }).catch(() => {})
    const { message } = await wordsOf(() => ask(database, path), path)
    expect(message).toMatch(/is (damaged|not a SQLite database)$/)
  })

  test('a file that another process holds', async () => {
    const { db, connect } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const other = await connect()
    await other.run('begin immediate')
    await db.run(sql`pragma busy_timeout = 20`)
    const work = () => db.transaction('write', async () => {})
    expect((await wordsOf(work)).message).toBe('TARGET is locked by another process')
    expect(databaseFault(await errorOf(work))).toBe('locked')
    await other.run('rollback')
    await work()
  })

  test('a file that may not be written', async () => {
    const { db } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    await db.run(sql`pragma query_only = on`)
    const { message } = await wordsOf(() => db.run(sql`delete from post`))
    expect(message).toBe('TARGET is read-only')
  })

  test('the refusal of a trigger', async () => {
    const { db, run } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    await run(`create trigger no_more before delete on post begin select raise(abort, '${SECRET}'); end`)
    const { message } = await wordsOf(() => db.run(sql`delete from post`))
    expect(message).toBe('a trigger of the database refused it')
  })

  test('a foreign key that would take away the id of a row', async () => {
    const { db, run } = await harness.empty()
    await run(`create table parent (id integer primary key);
      create table child (parent_ptr_id integer primary key references parent (id) on delete set null);
      insert into parent values (1); insert into child values (1);`)
    await db.run(sql`pragma foreign_keys = on`)
    const work = () => db.run(sql`delete from parent`)
    expect((await wordsOf(work)).message).toBe('the database refused it: datatype mismatch')
    expect(databaseFault(await errorOf(work))).toBe('constraint')
  })
})
