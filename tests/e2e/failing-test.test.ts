import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const SETUP = fileURLToPath(new URL('../support/global-setup.ts', import.meta.url))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'usermgmt-failing-'))
})
afterEach(() => rm(directory, { recursive: true }))

test.each([
  ['1', 0],
  ['2', 1],
])(
  'a run with a server of its own, whose only test expects 1 to be %s, ends with %i',
  async (number, exit) => {
    await writeFile(join(directory, 'one.test.js'), `test('one', () => expect(1).toBe(${number}))`)
    const config = join(directory, 'vitest.config.js')
    const settings = { root: directory, globals: true, include: ['*.test.js'], globalSetup: [SETUP] }
    await writeFile(config, `module.exports = { test: ${JSON.stringify(settings)} }`)
    const { USERMGMT_TEST_PG_URL: _, FORCE_COLOR: __, ...inherited } = process.env
    const env = { ...inherited, NO_COLOR: '1' }
    const run = spawnSync(process.execPath, [VITEST, 'run', '--config', config], {
      cwd: directory,
      env,
      encoding: 'utf8',
    })
    expect([run.status, run.stdout]).toEqual([exit, expect.stringMatching(/Tests {2}1 (passed|failed)/)])
  },
)
