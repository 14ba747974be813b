import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { databaseFault, explainDatabaseError, shortReason } from '../../../src/db/errors.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { errorOf, SECRET, SECRET_TABLES, wordsOf } from '../../support/errors.ts'

describeEachDatabase('errors', (harness) => {
  const statements = [
    ['a unique name', sql`insert into author (name) values (${SECRET})`, 'author'],
    ['a column that must not be NULL', sql`insert into author (age) values (5)`, 'author'],
    ['a check', sql`insert into author (name, age) values (${`${SECRET}!`}, -5)`, 'age'],
  ] as const

  test.each(statements)('%s is refused: names the constraint, not the value', async (_, statement, word) => {
    const { db } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const { message } = await wordsOf(() => db.run(statement))
    expect(message).toContain(word)
    const error = await errorOf(() => db.run(statement))
    expect(databaseFault(error)).toBe('constraint')
    expect(shortReason(error)).toBe(message)
  })

  test('a row that others refer to cannot go', async () => {
    const { db } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const { message } = await wordsOf(() => db.run(sql`delete from author where name = ${SECRET}`))
    expect(message).toBe(
      harness.pick({
        sqlite: 'a foreign key forbids it',
        postgres: 'another row still refers to it (post, post_author_id_fkey)',
      }),
    )
  })

  test('a row cannot refer to one that is not there', async () => {
    const { db } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const { message } = await wordsOf(() => db.run(sql`insert into post (author_id) values (99)`))
    expect(message).toBe(
      harness.pick({
        sqlite: 'a foreign key forbids it',
        postgres: 'it refers to a row that is not there (post, post_author_id_fkey)',
      }),
    )
  })

  test('a missing table and a missing column are named', async () => {
    const { db } = await harness.prepared('authors', (empty) => empty.run(SECRET_TABLES))
    const table = await wordsOf(() => db.rows(sql`select ${SECRET} from nowhere`))
    expect(table.message).toBe('a table is missing: nowhere')
    const column = await wordsOf(() => db.rows(sql`select missing from author where name = ${SECRET}`))
    expect(column.message).toBe('a column is missing: missing')
    expect(column.hint).toContain('usermgmt migrate')
    const written = await wordsOf(() => db.run(sql`insert into author (missing) values (${SECRET})`))
    expect(written.message).toBe('a column is missing: author.missing')
  })

  test('a mistake of the program stays one', async () => {
    const { db } = await harness.empty()
    const error = await errorOf(() => db.rows(sql`selec ${SECRET}`))
    expect(explainDatabaseError(error, 'TARGET')).toBeUndefined()
    expect(shortReason(error)).toBe('the database refused it')
    expect(explainDatabaseError(new TypeError('x is not a function'), 'TARGET')).toBeUndefined()
  })
})
