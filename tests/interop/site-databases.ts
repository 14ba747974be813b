import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { djangoSite } from './site-runner.ts'

/** Makes databases for the site. What it returns is a path or a URL, good for Django and for usermgmt. */
export interface SiteDatabases {
  empty(): Promise<string>
  /** A database that `manage.py migrate` has filled; migrated once, then copied. */
  migrated(): Promise<string>
  /** A copy of a database that nobody is connected to. */
  copyOf(database: string): Promise<string>
  /** Removes every database made here. */
  close(): Promise<void>
}

type Storage = Omit<SiteDatabases, 'migrated'>

export async function sqliteDatabases(): Promise<SiteDatabases> {
  const directory = await mkdtemp(join(tmpdir(), 'usermgmt-site-'))
  let made = 0
  const next = () => join(directory, `site-${++made}.sqlite3`)
  return withMigrated({
    empty: async () => next(),
    async copyOf(database) {
      const copy = next()
      await copyFile(database, copy)
      return copy
    },
    close: () => rm(directory, { recursive: true, force: true }),
  })
}

/** `server` is the URL of a database whose role may create others. */
export async function postgresDatabases(server: string): Promise<SiteDatabases> {
  const admin = new pg.Client({ connectionString: server })
  await admin.connect()
  const made: string[] = []

  async function create(template: string): Promise<string> {
    const name = `usermgmt_site_${process.pid}_${Date.now().toString(36)}_${made.length}`
    made.push(name)
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${admin.escapeIdentifier(template)}`)
    const url = new URL(server)
    url.pathname = `/${name}`
    return url.href
  }

  return withMigrated({
    empty: () => create('template0'),
    copyOf: (database) => create(new URL(database).pathname.slice(1)),
    async close() {
      for (const name of made) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await admin.end()
    },
  })
}

function withMigrated(storage: Storage): SiteDatabases {
  let template: Promise<string> | undefined

  async function migrate(): Promise<string> {
    const database = await storage.empty()
    await djangoSite({ database }).manage(['migrate', '--verbosity', '0'])
    return database
  }

  return {
    ...storage,
    async migrated() {
      template ??= migrate()
      return storage.copyOf(await template)
    },
  }
}
