// A visitor of the site, in a process of its own as every worker of a web server is: does what Django does to random
// users until its standard input ends, and prints a JSON line for each deed.
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

const [url, users] = process.argv.slice(2)
const PAUSE_MILLISECONDS = 2

/** What Django waits by default. */
const SQLITE_TIMEOUT_MILLISECONDS = 5_000

async function connect() {
  if (url.startsWith('sqlite:')) {
    const { default: Sqlite } = await import('better-sqlite3')
    const connection = new Sqlite(url.slice('sqlite:'.length), { timeout: SQLITE_TIMEOUT_MILLISECONDS })
    return {
      change: async (statement) => connection.prepare(statement).run().changes,
      close: async () => connection.close(),
    }
  }
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return {
    change: async (statement) => (await client.query(statement)).rowCount ?? 0,
    close: () => client.end(),
  }
}

const { change, close } = await connect()

/** As Django writes it on SQLite; PostgreSQL reads it as well. */
const now = () => new Date().toISOString().replace('T', ' ').replace('Z', '001')

/** Each returns whether there was somebody to do it to. */
const DEEDS = {
  verify: async (user) =>
    (await change(`update account_emailaddress set verified = true where user_id = ${user}`)) > 0,
  login: async (user) =>
    (await change(`update auth_user set last_login = '${now()}' where id = ${user}`)) > 0,
  post: async (user) => (await change(`insert into forum_topic (author_id) values (${user})`)) > 0,
  signUp: async () => {
    const name = `new${process.pid}x${randomInt(2 ** 40)}`
    await change('begin')
    try {
      await change(`insert into auth_user (username, email, password, first_name, last_name, is_active, is_staff,
        is_superuser, date_joined) values ('${name}', '', '', '', '', true, false, false, '${now()}')`)
      await change(`insert into account_emailaddress (email, verified, "primary", user_id)
        select '${name}@example.com', false, true, id from auth_user where username = '${name}'`)
    } catch (error) {
      await change('rollback')
      throw error
    }
    await change('commit')
    return true
  },
}

const FOREIGN_KEY = ['23503', 'SQLITE_CONSTRAINT_FOREIGNKEY']

let isOver = false
process.stdin.on('end', () => {
  isOver = true
})
process.stdin.resume()

const names = Object.keys(DEEDS)
while (!isOver) {
  const deed = names[randomInt(names.length)]
  const user = randomInt(1, Number(users) + 1)
  const began = performance.now()
  const outcome = await DEEDS[deed](user).then(
    (done) => ({ done }),
    (error) => (FOREIGN_KEY.includes(error.code) ? { done: false } : { error: String(error) }),
  )
  const milliseconds = Math.round(performance.now() - began)
  process.stdout.write(`${JSON.stringify({ deed, user, ...outcome, milliseconds })}\n`)
  await pause(PAUSE_MILLISECONDS)
}
await close()
