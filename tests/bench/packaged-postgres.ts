import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { answers, freePort, SETTINGS } from '../support/postgres-server.ts'

const run = promisify(execFile)

/** Where Debian and its kin keep the server of each major version. */
const VERSIONS = '/usr/lib/postgresql'

/** The user of the system that the server runs as, and its role that may do everything. */
const USER = 'postgres'

/**
 * Starts the PostgreSQL that the system packages, with further settings (`fsync=off`); undefined when it has none. It is
 * the one that sites run; what contenders take on another version may differ, one from another.
 */
export async function startPackagedPostgres(settings: readonly string[]) {
  const bin = await newestServer()
  if (!bin) return undefined
  const directory = await mkdtemp(join(tmpdir(), 'usermgmt-postgres-'))
  const owner = await serverUser()
  if (owner) await chown(directory, owner.uid, owner.gid)
  const tell = (program: string, args: readonly string[]) =>
    run(join(bin, program), ['--pgdata', directory, ...args], { ...owner, cwd: directory })
  const port = await freePort()
  const options = [...SETTINGS, ...settings, `port=${port}`].map((setting) => `-c ${setting}`).join(' ')
  const stop = async () => {
    await tell('pg_ctl', ['stop', '--mode=fast', '--wait'])
    await rm(directory, { recursive: true })
  }
  await tell('initdb', ['--encoding=UTF8', '--no-locale', '--auth=trust', `--username=${USER}`])
  // With a file for its words: a server that holds our pipe would never let us go.
  await tell('pg_ctl', ['start', '--wait', '--log', join(directory, 'log'), '--options', options])
  const url = `postgres://${USER}@127.0.0.1:${port}/${USER}`
  await answers(url)
  return { url, stop }
}

/** Returns the directory of its programs. */
async function newestServer(): Promise<string | undefined> {
  const versions = await readdir(VERSIONS).catch(() => [])
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a))
  // The clients alone are kept there as well.
  return newestFirst
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
}

/** PostgreSQL does not run as root. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(['-u', '-g'].map((which) => run('id', [which, USER])))
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) }
}
