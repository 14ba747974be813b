import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { en, Faker } from '@faker-js/faker'
import Sqlite from 'better-sqlite3'
import { packageRoot } from '../../src/package-root.ts'
import { type Account, REFERENCE } from './accounts.ts'
import { bots } from './bots.ts'
import { insertAccounts } from './insert.ts'
import { newcomers, people } from './people.ts'

const SEED = 20_200_101

/** The site's own content: nothing tells usermgmt whether it may go. */
const BLOG = `
  CREATE TABLE blog_post (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    title varchar(120) NOT NULL,
    published datetime NOT NULL,
    author_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED
  );
  CREATE INDEX blog_post_author_id ON blog_post (author_id);`

export const BIN = fileURLToPath(new URL('bin/usermgmt.js', packageRoot()))

/** Makes the SQLite database of the demo, in place of what was there, and returns how many accounts it has. */
export function createDemoDatabase(path: string, now: Date): number {
  mkdirSync(dirname(path), { recursive: true })
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  execFileSync(process.execPath, [BIN, 'migrate', '--quiet', '--database', path])
  const accounts = population(now)
  const database = new Sqlite(path)
  database.exec(BLOG)
  insertAccounts(database, accounts)
  database.close()
  return accounts.length
}

/** The same accounts every time, in the order in which they signed up; only the newcomers move with `now`. */
function population(now: Date): Account[] {
  const faker = new Faker({ locale: en, seed: SEED })
  faker.setDefaultRefDate(REFERENCE)
  const accounts = [...people(faker), ...bots(faker), ...newcomers(faker, now)]
  return withoutTwins(accounts).sort((a, b) => a.joined.getTime() - b.joined.getTime())
}

/** A name or address that is taken gets a number, as people do it. */
function withoutTwins(accounts: readonly Account[]): Account[] {
  const taken = new Set<string>()
  const free = (name: string, numbered: (n: number) => string) => {
    let chosen = name
    for (let n = 2; taken.has(chosen.toLowerCase()); n++) chosen = numbered(n)
    taken.add(chosen.toLowerCase())
    return chosen
  }
  const freeAddress = (email: string) => free(email, (n) => email.replace('@', `${n}@`))
  return accounts.map((account) => ({
    ...account,
    username: free(account.username, (n) => `${account.username}${n}`),
    email: freeAddress(account.email),
    ...(account.secondAddress && { secondAddress: freeAddress(account.secondAddress) }),
  }))
}
