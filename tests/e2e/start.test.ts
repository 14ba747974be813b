import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { withDirectory } from '../support/directory.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BIN = join(ROOT, 'bin/usermgmt.js')
const run = promisify(execFile)

const CODE_CACHE = JSON.stringify(join(ROOT, 'bin/code-cache.js'))
/** Loads the program as its own command does. */
const LOADED = `
  const scripts = require(${CODE_CACHE}).loadCompiled(${JSON.stringify(join(ROOT, 'dist'))})
  const program = require(${JSON.stringify(join(ROOT, 'dist/main.cjs'))})`

let directory: string
withDirectory(beforeAll, (path) => {
  directory = path
})

/** What a command has loaded, from V8's own account of it. */
interface Loaded {
  /** The text of every file. */
  readonly files: readonly string[]
  /** Modules of Node's own that are not part of every process. */
  readonly builtins: readonly string[]
}

async function loadedBy(...args: string[]): Promise<Loaded> {
  const coverage = await mkdtemp(join(directory, 'coverage-'))
  await run(process.execPath, [BIN, ...args], { env: { ...process.env, NODE_V8_COVERAGE: coverage } })
  const reports = (await readdir(coverage)).map((name) => readFile(join(coverage, name), 'utf8'))
  const urls = (await Promise.all(reports)).flatMap(
    (report) => JSON.parse(report).result as { url: string }[],
  )
  const begin = (scheme: string) => urls.map(({ url }) => url).filter((url) => url.startsWith(scheme))
  const files = await Promise.all(begin('file:').map((url) => readFile(new URL(url), 'utf8')))
  expect(files.length).toBeGreaterThan(2)
  return { files, builtins: begin('node:') }
}

const DRIVERS = /drizzle:entityKind|require\("(better-sqlite3|pg)\b/
/** The validator of the configuration file, and the zones of the world. */
const LARGE = /ZodType|constructDateFrom/
/** As Drizzle names them, in the one place where the names stay. */
const BUILDERS = /"(SQLiteSelectBuilder|SQLiteInsert|PgSerial|PgTimestamp)"/

describe('starts quickly', () => {
  test.each([['--help'], ['--version'], ['purge', '--help'], ['help', 'list']])(
    '%s %s loads no driver',
    async (...args) => {
      const { files } = await loadedBy(...args.filter(Boolean))
      for (const pattern of [DRIVERS, LARGE]) expect(files.join('\n')).not.toMatch(pattern)
    },
  )

  test('a list loads neither query builders nor the other database, and streams only for a terminal', async () => {
    const database = join(directory, 'site.sqlite3')
    await run(process.execPath, [BIN, 'migrate', '--database', database])
    const { files, builtins } = await loadedBy('list', '--database', database, '--since', '2020-01-01')
    expect(files.join('\n')).toMatch(DRIVERS)
    for (const pattern of [BUILDERS, /ZodType/]) expect(files.join('\n')).not.toMatch(pattern)
    expect(
      builtins.filter((name) => /stream|net$|tty|child_process|(fs|timers)\/promises|v8$/.test(name)),
    ).toEqual([])
    // Each file takes longer to find than a small one to read.
    expect(files.length).toBeLessThan(11)
  })

  test('a list compiles nothing of the program: the build has done so', async () => {
    const database = join(directory, 'compiled.sqlite3')
    await run(process.execPath, [BIN, 'migrate', '--database', database])
    const list = JSON.stringify(['list', '--database', database])
    const { stdout } = await run(process.execPath, [
      '-e',
      `${LOADED}; program.main(${list}).then(() =>
        console.log(JSON.stringify([...scripts.values()].map((script) => script.cachedDataRejected))))`,
    ])
    const rejected: unknown[] = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    expect(rejected.length).toBeGreaterThan(4)
    expect(new Set(rejected)).toEqual(new Set([false]))
  })

  test.each([
    ['of another V8', (code: Buffer) => code.fill(0xff, 4, 8)],
    ['cut off', (code: Buffer) => code.subarray(0, code.length / 2)],
    ['empty', () => ''],
    ['missing', () => undefined],
  ])('compiled code that is %s is done without', async (_, changed) => {
    const { usermgmt } = await copyWith(/\.code$/, async (file) => {
      const code = changed(await readFile(file))
      await (code === undefined ? rm(file) : writeFile(file, code))
    })
    await usermgmt('migrate')
    expect((await usermgmt('list', '--format', 'count', '--quiet')).stdout).toBe('0\n')
  })

  test('compiled code is not used for a module that has changed', async () => {
    const { usermgmt } = await copyWith(/\.cjs$/, async (file) => {
      const text = await readFile(file, 'utf8')
      await writeFile(file, text.replaceAll('not logged in since', 'NOT LOGGED IN SINCE'))
    })
    await usermgmt('migrate')
    expect((await usermgmt('list', '--since', '2020-01-01')).stderr).toContain('NOT LOGGED IN SINCE 2020')
  })
})

/** Returns what runs a copy of the program, after something has been done to files of its `dist`. */
async function copyWith(names: RegExp, change: (file: string) => Promise<void>) {
  const copy = await mkdtemp(join(directory, 'copy-'))
  for (const name of ['bin', 'dist', 'drizzle', 'package.json']) {
    await cp(join(ROOT, name), join(copy, name), { recursive: true, preserveTimestamps: true })
  }
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  const files = (await readdir(join(copy, 'dist'))).filter((name) => names.test(name))
  expect(files.length).toBeGreaterThan(4)
  for (const name of files) await change(join(copy, 'dist', name))
  const to = ['--database', join(copy, 'site.sqlite3')]
  return {
    usermgmt: (...args: string[]) => run(process.execPath, [join(copy, 'bin/usermgmt.js'), ...args, ...to]),
  }
}

test('says what to do when it has not been built', async () => {
  const bare = await mkdtemp(join(directory, 'bare-'))
  await cp(dirname(BIN), join(bare, 'bin'), { recursive: true })
  await expect(run(process.execPath, [join(bare, 'bin', 'usermgmt.js')])).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'usermgmt: the program has not been built yet; npm run build\n',
  })
})

test('a program that ends without an answer has failed', async () => {
  const copy = await mkdtemp(join(directory, 'endless-'))
  await cp(dirname(BIN), join(copy, 'bin'), { recursive: true })
  await mkdir(join(copy, 'dist'))
  await writeFile(join(copy, 'dist/main.cjs'), 'exports.main = () => new Promise(() => {})')
  await expect(run(process.execPath, [join(copy, 'bin/usermgmt.js')])).rejects.toMatchObject({ code: 1 })
})

test('a bug is reported with places in the source', async () => {
  const stdout = '{ write: async (text) => void process.stdout.write(text) }'
  const context = `{ stderr: ${stdout}, stdout: ${stdout}, env: {}, cwd: '/', now() { throw new Error('broken') } }`
  const reported = await run(process.execPath, ['-e', `${LOADED}; program.main(['list'], ${context})`])
  expect(reported.stdout).toMatch(/\nError: broken\n(.*\n)? {4}at src\/cli\/criteria\.ts:\d+:\d+\n/)
  expect(reported.stdout).not.toContain('.cjs')
})

test('the first line of a module has the places of its own text', async () => {
  const file = join(await mkdtemp(join(directory, 'module-')), 'module.cjs')
  await writeFile(file, 'exports.stack = new Error().stack')
  const loaded = `require(${CODE_CACHE}).loadCompiled(${JSON.stringify(dirname(file))})`
  const { stdout } = await run(process.execPath, ['-p', `${loaded}; require(${JSON.stringify(file)}).stack`])
  expect(stdout.split('\n')[1]).toContain(`${file}:1:17`)
})

test('the current directory may be gone', async () => {
  const gone = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"`
  const inGone = (...args: string[]) =>
    run('sh', ['-c', gone, process.execPath, BIN, ...args], { cwd: directory })
  expect((await inGone('--help')).stdout).toMatch(/^Usage: usermgmt/)
  await expect(inGone('list')).rejects.toMatchObject({
    code: 1,
    stderr: 'usermgmt: the current directory is not there any more; go to one that is\n',
  })
})

test('a configuration file may be YAML', async () => {
  const cwd = await mkdtemp(join(directory, 'yaml-'))
  await writeFile(join(cwd, 'usermgmt.config.yaml'), 'database: site.sqlite3\nprotect:\n  - "@example.edu"\n')
  await run(process.execPath, [BIN, 'migrate'], { cwd })
  expect(await readdir(cwd)).toContain('site.sqlite3')
})

test('the exit code reaches the shell, and errors stay off standard output', async () => {
  await expect(run(process.execPath, [BIN, 'list', '--since', '2020-02-30'])).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'usermgmt: --since: 2020-02-30 does not exist\n',
  })
})

describe('an output that', () => {
  /** Runs the command with this as its standard output; returns how it ends. */
  async function into(stdout: 'pipe' | number) {
    const child = spawn(process.execPath, [BIN, 'purge', '--help'], { stdio: ['ignore', stdout, 'pipe'] })
    child.stdout?.destroy()
    const [stderr, exit] = await Promise.all([
      text(child.stderr as Readable),
      once(child, 'close').then(([code]) => code),
    ])
    return { exit, stderr }
  }

  test('nobody reads any more is no error', async () => {
    expect(await into('pipe')).toEqual({ exit: 0, stderr: '' })
  })

  test('is full is one', async () => {
    const full = await open('/dev/full', 'w')
    const ended = await into(full.fd).finally(() => full.close())
    expect(ended).toEqual({ exit: 1, stderr: 'usermgmt: the output cannot be written: the disk is full\n' })
  })
})
