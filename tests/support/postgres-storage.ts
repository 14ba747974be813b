import pg from 'pg'
import type { RawConnection, Storage } from './databases.ts'

/** Databases on the server of this URL, whose role may create some. */
export async function postgresStorage(server: string): Promise<Storage> {
  // A connection for each statement: a test may stop the server meanwhile.
  const tell = async (statement: string) => {
    const admin = new pg.Client({ connectionString: server })
    await admin.connect()
    await admin.query(statement).finally(() => admin.end())
  }
  const urlOf = (name: string) => {
    const url = new URL(server)
    url.pathname = `/${name}`
    return url.href
  }
  const create = async (name: string, template: string) => {
    await tell(`create database ${name} template ${template}`)
  }
  return {
    create: (name) => create(name, 'template0'),
    copy: (from, to) => create(to, from),
    drop: async (name) => {
      await tell(`drop database if exists ${name} with (force)`)
    },
    url: urlOf,
    connect: (name) => connect(urlOf(name)),
    close: async () => {},
  }
}

async function connect(url: string): Promise<RawConnection> {
  const client = new pg.Client({ connectionString: url })
  // A test may drop the database, or end the session, under this connection.
  client.on('error', () => {})
  await client.connect()
  return {
    run: async (script) => {
      await client.query(script)
    },
    rows: async <T extends object>(query: string) => (await client.query<T>(query)).rows,
    close: () => client.end(),
  }
}
