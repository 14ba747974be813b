import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { RawConnection, Storage } from './databases.ts'

/** SQLite files in a directory of their own, in the journal mode that Django leaves them in. */
export async function sqliteStorage(): Promise<Storage> {
  const directory = await mkdtemp(join(tmpdir(), 'usermgmt-test-'))
  const pathOf = (name: string) => join(directory, `${name}.sqlite3`)
  return {
    create: async (name) => {
      new Sqlite(pathOf(name)).exec('vacuum').close()
    },
    copy: (from, to) => copyFile(pathOf(from), pathOf(to)),
    drop: (name) => rm(pathOf(name), { force: true }),
    url: (name) => `sqlite:${pathOf(name)}`,
    connect: async (name) => connect(pathOf(name)),
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Without a timeout: both connections live in one thread, so whoever waited here would wait for itself. */
function connect(path: string): RawConnection {
  const connection = new Sqlite(path, { timeout: 0 })
  connection.defaultSafeIntegers(true)
  return {
    run: async (script) => {
      connection.exec(script)
    },
    rows: async <T extends object>(query: string) => {
      const statement = connection.prepare<[], T>(query)
      if (statement.reader) return statement.all()
      statement.run()
      return []
    },
    close: async () => {
      connection.close()
    },
  }
}
