import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { rowsOf } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { type Situation, usermgmt } from './run.ts'
import { siteWithPolicy } from './sweep-site.ts'

const PURGE = ['purge', '--since', '2020-01-01', '--yes']
const UNDO = /^to put everybody back: (.*)$/m

let directory: string
withDirectory(beforeAll, (path) => {
  directory = path
})
afterEach(() => vi.unstubAllEnvs())

/** Runs the line as a shell reads it, somewhere else. */
function pasted(line: string, situation: Situation = {}) {
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
  const [program, ...args] = words.trimEnd().split('\n')
  expect(program).toBe('usermgmt')
  return usermgmt([...args, '--yes'], situation)
}

describeEachDatabase('a purge prints the command that undoes it', (harness) => {
  /** The example site, and a directory whose name a shell would not take as it is. */
  async function siteBesideSpaces() {
    const site = await exampleSite(harness)
    const cwd = join(await mkdtemp(join(directory, 'site-')), "sp ace ar'c $HOME")
    await mkdir(cwd)
    return { site, cwd, before: await rowsOf(site.db, 'auth_user') }
  }

  test('also with --quiet, on the database it was called with, fit to be pasted anywhere', async () => {
    const { site, cwd, before } = await siteBesideSpaces()
    const { stdout, stderr } = await usermgmt([...PURGE, '--quiet', '--database', site.url], { cwd })
    const [archive = ''] = await readdir(join(cwd, 'usermgmt-archive'))
    expect(stderr).toBe('')
    expect(stdout).toContain(`\narchive: ${join(cwd, 'usermgmt-archive', archive)}\n`)
    const password = harness.kind === 'postgres' ? new URL(site.url).password : 'none'
    expect(stdout).not.toContain(password)
    // Where people keep it.
    vi.stubEnv('PGPASSWORD', password)
    expect(await pasted(UNDO.exec(stdout)?.[1] ?? '')).toMatchObject({ exit: 0 })
    expect(await rowsOf(site.db, 'auth_user')).toEqual(before)
  })

  test('with the configuration file that says where the database is', async () => {
    const { site, cwd, before } = await siteBesideSpaces()
    await writeFile(join(cwd, 'usermgmt.config.json'), JSON.stringify({ database: site.url }))
    const { stdout } = await usermgmt(PURGE, { cwd })
    expect(UNDO.exec(stdout)?.[1]).toContain(" --config '")
    expect(await pasted(UNDO.exec(stdout)?.[1] ?? '')).toMatchObject({ exit: 0 })
    expect(await rowsOf(site.db, 'auth_user')).toEqual(before)
  })

  test('without the database when the environment says it', async () => {
    const { site, cwd, before } = await siteBesideSpaces()
    const env = { DATABASE_URL: site.url }
    const { stdout } = await usermgmt(PURGE, { cwd, env })
    expect(UNDO.exec(stdout)?.[1]).toMatch(/\.ndjson\.gz'$/)
    expect(await pasted(UNDO.exec(stdout)?.[1] ?? '', { env })).toMatchObject({ exit: 0 })
    expect(await rowsOf(site.db, 'auth_user')).toEqual(before)
  })

  test('once on a terminal', async () => {
    const { site, cwd } = await siteBesideSpaces()
    const { screen } = await usermgmt([...PURGE, '--database', site.url], { cwd, terminal: { columns: 100 } })
    expect(screen.split('to put everybody back').length).toBe(2)
    expect(screen.split('archive: ').length).toBe(2)
  })

  describe('but not', () => {
    test.each(['--no-archive', '--user anna'])('%s', async (option) => {
      const { site, cwd } = await siteBesideSpaces()
      const { screen } = await usermgmt([...PURGE, ...option.split(' '), '--database', site.url], { cwd })
      expect(screen).not.toMatch(UNDO)
      expect(screen).not.toContain('\narchive: ')
      const isLost = option === '--no-archive'
      expect(screen.includes('no archive: what is deleted cannot be put back')).toBe(isLost)
    })
  })

  test('a sweep, too', async () => {
    const { site, sweep } = await siteWithPolicy(harness)
    const before = await rowsOf(site.db, 'auth_user')
    await sweep(0, '--quiet')
    const { stdout } = await sweep(14, '--quiet')
    expect(await pasted(UNDO.exec(stdout)?.[1] ?? '')).toMatchObject({ exit: 0 })
    expect(await rowsOf(site.db, 'auth_user')).toEqual(before)
  })
})
