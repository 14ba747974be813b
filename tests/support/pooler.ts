import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { answers, freePort } from './postgres-server.ts'

/** Fewer sessions than clients, so that they change hands all the time. */
const SESSIONS = 3
/** It does not run as root. */
const NOBODY = ['-u', 'nobody']

export interface Pooler {
  /** Returns the URL at which the pooler hands out sessions of the database with this one. */
  through(url: string): string
  stop(): Promise<void>
}

/** Starts a PgBouncer in transaction mode in front of the server of this URL. Throws its last words when it does not start. */
export async function startPooler(server: string): Promise<Pooler> {
  const { hostname, port, username, password } = new URL(server)
  const directory = await mkdtemp(join(tmpdir(), 'usermgmt-pooler-'))
  const at = await freePort()
  const file = join(directory, 'pgbouncer.ini')
  await chmod(directory, 0o755)
  await writeFile(
    file,
    `[databases]
* = host=${hostname} port=${port} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${at}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${SESSIONS}
max_client_conn = 100
`,
  )
  const child = spawn('pgbouncer', [...(process.getuid?.() === 0 ? NOBODY : []), file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  })
  const through = (url: string) => {
    const pooled = new URL(url)
    pooled.host = `127.0.0.1:${at}`
    pooled.password = ''
    return pooled.href
  }
  await started(child, through(server))
  return {
    through,
    async stop() {
      child.kill()
      if (child.exitCode === null) await once(child, 'exit')
      await rm(directory, { recursive: true })
    },
  }
}

async function started(child: ChildProcess, url: string): Promise<void> {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  child.on('error', (error) => {
    words += error.message
  })
  for (;;) {
    if (await answersAt(url)) return
    if (child.exitCode !== null || child.pid === undefined)
      throw new Error(`PgBouncer did not start:\n${words}`)
    await pause(20)
  }
}

function answersAt(url: string): Promise<boolean> {
  return answers(url).then(
    () => true,
    () => false,
  )
}
