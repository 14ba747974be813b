import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ARCHIVE_EXAMPLES } from '../../src/cli/commands/archive.ts'
import { RESTORE_EXAMPLES } from '../../src/cli/commands/restore.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { allRowsOf } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

const NAME = 'purge-20250615T120000Z-3f9a1c.ndjson.gz'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'usermgmt-cli-archive-'))
})
afterEach(() => rm(cwd, { recursive: true }))

describeEachDatabase('archives on the command line', (harness) => {
  async function purged(options = '') {
    const site = await exampleSite(harness)
    const before = await allRowsOf(site.db)
    const run = (line: string) => usermgmt(line.split(' '), { cwd, env: { DATABASE_URL: site.url } })
    const ran = await run(`purge --since 2020-01-01 --yes --format json${options}`)
    const [file] = await readdir(join(cwd, 'usermgmt-archive')).catch(() => [])
    if (file) await rename(join(cwd, 'usermgmt-archive', file), join(cwd, 'usermgmt-archive', NAME))
    return { site, before, run, ran, file }
  }

  test.each([...RESTORE_EXAMPLES, ...ARCHIVE_EXAMPLES])('$command', async ({ command, output }) => {
    const { run } = await purged()
    const { stdout, stderr } = await run(command.replace(/^usermgmt /, ''))
    expect({ stdout: stdout.trimEnd(), stderr }).toEqual({ stdout: output, stderr: '' })
  })

  test('purge names its archive and the command that puts everybody back', async () => {
    const { site, before, run, ran, file } = await purged()
    expect(JSON.parse(ran.stdout)).toMatchObject({
      deleted: 2,
      archive: join(cwd, 'usermgmt-archive', String(file)),
    })
    expect(ran.stderr).toContain(`usermgmt restore ${join(cwd, 'usermgmt-archive', String(file))}\n`)
    const planned = await run(`restore usermgmt-archive/${NAME} --dry-run --format json`)
    const restored = await run(`restore usermgmt-archive/${NAME} --yes --format json`)
    expect(planned.stdout).toBe(restored.stdout)
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('--no-archive goes without', async () => {
    const { ran, file } = await purged(' --no-archive')
    expect(JSON.parse(ran.stdout)).toMatchObject({ deleted: 2 })
    expect(ran.stdout).not.toContain('archive')
    expect(file).toBeUndefined()
  })

  test('restore needs a yes, the right database and an archive', async () => {
    const { run } = await purged()
    expect(await run(`restore usermgmt-archive/${NAME}`)).toMatchObject({ exit: 3, stdout: '' })
    expect(await run('restore usermgmt-archive/none --yes')).toMatchObject({ exit: 1, stdout: '' })
    const other = await exampleSite(harness)
    const elsewhere = await run(`restore usermgmt-archive/${NAME} --yes --database ${other.url}`)
    expect(elsewhere).toMatchObject({ exit: 3, stdout: '' })
    expect(elsewhere.stderr).toContain('comes from another database')
  })
})
