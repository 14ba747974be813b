import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../src/package-root.ts'

const directory = fileURLToPath(new URL('tests/interop/site', packageRoot()))
const python = process.env.USERMGMT_TEST_PYTHON ?? '/usr/bin/python3'

export interface SiteOptions {
  /** A path to a SQLite file, or postgres://user:password@host:port/name. */
  database: string
  /** SITE_* variables of site/settings.py. */
  env?: Record<string, string>
}

export interface ManageOptions {
  /** Given to the command as JSON on its standard input. */
  stdin?: unknown
}

export type Site = ReturnType<typeof djangoSite>

/** The Django site in ./site, on one database. Every method throws with Django's own words when a command fails. */
export function djangoSite({ database, env = {} }: SiteOptions) {
  const environment = {
    ...process.env,
    ...env,
    SITE_DATABASE: database,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUTF8: '1',
  }

  /** Returns what `manage.py` printed. */
  async function manage(args: string[], { stdin }: ManageOptions = {}): Promise<string> {
    const child = spawn(python, ['manage.py', ...args], { cwd: directory, env: environment })
    const exit = exitOf(child)
    // A command that ends without reading its input is judged by its exit, not by the broken pipe.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin === undefined ? '' : JSON.stringify(stdin))
    const [code, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
    if (code !== 0)
      throw new Error(`manage.py ${args.join(' ')} ended with ${code} on ${database}\n${stderr}`)
    return stdout
  }

  /** Returns what one of the site's JSON commands answered. */
  async function ask<Answer>(args: string[], options: ManageOptions = {}): Promise<Answer> {
    return JSON.parse(await manage(args, options))
  }

  /** Returns the answers of several JSON commands, run in one process because Python takes long to start. */
  function askAll<Answers extends unknown[]>(
    steps: Array<{ args: string[] } & ManageOptions>,
  ): Promise<Answers> {
    return ask<Answers>(['batch'], { stdin: steps })
  }

  return { database, manage, ask, askAll }
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`cannot run ${python}; set USERMGMT_TEST_PYTHON to a Python with Django`, { cause }))
    })
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
}
