import { afterAll, afterEach, beforeAll, beforeEach, describe, inject } from 'vitest'
import { openDatabase } from '../../src/db/open.ts'
import type { Db, OpenOptions } from '../../src/db/port.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import { ddlFor } from './ddl.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'
import { postgresStorage } from './postgres-storage.ts'
import { sqliteStorage } from './sqlite-storage.ts'

export type DatabaseKind = 'sqlite' | 'postgres'

/** A connection of its own, beside the tool's: the site at work meanwhile. Plain SQL text, no parameters. */
export interface RawConnection {
  /** Runs a script of any number of statements. */
  run(script: string): Promise<void>
  /** Runs one statement and returns its rows as the driver gives them. */
  rows<T extends object = Record<string, unknown>>(query: string): Promise<T[]>
  close(): Promise<void>
}

/** Where one kind of database keeps its databases; a name is a file or a PostgreSQL database. */
export interface Storage {
  create(name: string): Promise<void>
  copy(from: string, to: string): Promise<void>
  drop(name: string): Promise<void>
  url(name: string): string
  connect(name: string): Promise<RawConnection>
  /** Removes what all of them share. */
  close(): Promise<void>
}

export interface TestDatabase {
  readonly kind: DatabaseKind
  /** For the command line and `openDatabase`. */
  readonly url: string
  /** The database through the port. Closed, and the database removed, after the test (or suite) that made it. */
  readonly db: Db
  /** Runs DDL of any number of statements, in the neutral types of `ddlFor`. */
  run(script: string): Promise<void>
  /** Another port on the same database; with parameters added to a PostgreSQL URL when given. */
  open(options?: OpenOptions, url?: string): Promise<Db>
  /** A second, independent connection. On SQLite it never waits for a lock: it fails at once. */
  connect(): Promise<RawConnection>
  /** Closes what is open on it; done by itself after the test. */
  close(): Promise<void>
}

export interface Harness {
  readonly kind: DatabaseKind
  /** A fresh, empty database. */
  empty(): Promise<TestDatabase>
  /** A copy of what `prepare` made of an empty database; it runs once for each name and test file. */
  prepared(name: string, prepare: (database: TestDatabase) => Promise<void>): Promise<TestDatabase>
  /** The value for this database, where the two rightly differ. */
  pick<T>(values: Readonly<Record<DatabaseKind, T>>): T
}

const STORAGES: Record<DatabaseKind, () => Promise<Storage>> = {
  sqlite: sqliteStorage,
  postgres: () => postgresStorage(inject('postgresUrl')),
}

/** Runs the specification on SQLite and on PostgreSQL. */
export function describeEachDatabase(name: string, specification: (harness: Harness) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} (%s)`, (kind) => {
    specification(harnessFor(kind))
  })
}

/** Runs the specification on one database only: for what the other one does not have. */
export function describeDatabase(
  kind: DatabaseKind,
  name: string,
  specification: (harness: Harness) => void,
): void {
  describe(`${name} (${kind})`, () => specification(harnessFor(kind)))
}

/** Runs the specification on a PostgreSQL server that it has for itself, and may stop. */
export function describeOwnServer(
  name: string,
  specification: (harness: Harness, server: () => PostgresServer) => void,
): void {
  let server: PostgresServer
  const storage = async () => {
    server = await startPostgres(['fsync=off'])
    return { ...(await postgresStorage(server.url)), close: () => server.stop() }
  }
  describe(`${name} (postgres)`, () => specification(harnessFor('postgres', storage), () => server))
}

function harnessFor(kind: DatabaseKind, open = STORAGES[kind]): Harness {
  let storage: Storage
  let made = 0
  const templates = new Map<string, Promise<string>>()
  const ofSuite: (() => Promise<void>)[] = []
  const ofTest: (() => Promise<void>)[] = []
  let inTest = false

  beforeAll(async () => {
    storage = await open()
  })
  beforeEach(() => {
    inTest = true
  })
  afterEach(async () => {
    inTest = false
    await releaseAll(ofTest)
  })
  afterAll(async () => {
    await releaseAll(ofSuite)
    await storage.close()
  })

  function nextName(): string {
    made += 1
    return `usermgmt_test_${process.pid}_${Date.now().toString(36)}_${made}`
  }

  async function databaseNamed(name: string, cleanups: (() => Promise<void>)[]): Promise<TestDatabase> {
    const database = await openTestDatabase(kind, storage, name)
    cleanups.push(async () => {
      await database.close()
      await storage.drop(name)
    })
    return database
  }

  async function template(prepare: (database: TestDatabase) => Promise<void>): Promise<string> {
    const name = nextName()
    await storage.create(name)
    ofSuite.push(() => storage.drop(name))
    const database = await openTestDatabase(kind, storage, name)
    await prepare(database).finally(() => database.close())
    return name
  }

  return {
    kind,
    async empty() {
      const name = nextName()
      await storage.create(name)
      return databaseNamed(name, inTest ? ofTest : ofSuite)
    },
    async prepared(key, prepare) {
      const source = templates.get(key) ?? template(prepare)
      templates.set(key, source)
      const name = nextName()
      await storage.copy(await source, name)
      return databaseNamed(name, inTest ? ofTest : ofSuite)
    },
    pick: (values) => values[kind],
  }
}

async function releaseAll(cleanups: (() => Promise<void>)[]): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

async function openTestDatabase(kind: DatabaseKind, storage: Storage, name: string): Promise<TestDatabase> {
  const url = storage.url(name)
  const closers: (() => Promise<void>)[] = []

  async function open(options: OpenOptions = {}, at = url): Promise<Db> {
    const db = await openDatabase(parseDatabaseUrl(at, '/'), options)
    return closedOnce(db, closers)
  }

  return {
    kind,
    url,
    db: await open({ connections: 4 }),
    open,
    async run(script) {
      const connection = await storage.connect(name)
      await connection.run(ddlFor(kind, script)).finally(() => connection.close())
    },
    connect: async () => closedOnce(await storage.connect(name), closers),
    close: () => releaseAll(closers),
  }
}

/** A test may close it or leave that to the clean-up. */
function closedOnce<T extends { close(): Promise<void> }>(resource: T, closers: (() => Promise<void>)[]): T {
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= resource.close()
    return closing
  }
  closers.push(close)
  return { ...resource, close }
}
