import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { withDirectory } from '../support/directory.ts'

const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const SETUP = fileURLToPath(new URL('../support/global-setup.ts', import.meta.url))

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

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
