import { sql } from 'drizzle-orm'
import { expect } from 'vitest'
import { explainDatabaseError } from '../../src/db/errors.ts'
import { UserError } from '../../src/errors.ts'
import type { TestDatabase } from './databases.ts'

/** Goes wherever a value or a password can go, and must not come out in a message. */
export const SECRET = 'do-not-print-me'

/** Two tables for `TestDatabase.run`, with a row in each that holds the secret. */
export const SECRET_TABLES = `create table author (id {key}, name varchar(40) not null unique, age integer check (age > 0));
  create table post (id {key}, author_id integer not null references author (id));
  insert into author (name) values ('${SECRET}'); insert into post (author_id) values (1)`

/** Returns what the work throws, in words; fails when there are none, or when they give something away. */
export async function wordsOf(work: () => Promise<unknown>, target = 'TARGET'): Promise<UserError> {
  const error = await errorOf(work)
  const explained = error instanceof UserError ? error : explainDatabaseError(error, target)
  if (!explained) throw new Error('no words for it', { cause: error })
  const shown = `${explained.message}${explained.hint ?? ''}`
  expect(shown).not.toMatch(/\n|select |insert |update .* set|\$1/i)
  expect(shown).not.toContain(SECRET)
  return explained
}

/** Returns what the work throws, undefined when it does not. */
export function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => undefined,
    (caught: unknown) => caught,
  )
}

/** Opens the URL and asks something, as every command does. */
export async function ask(database: TestDatabase, url: string): Promise<void> {
  const db = await database.open({}, url)
  await db.rows(sql`select ${SECRET} as value`)
}
