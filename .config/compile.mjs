// Lists the users of a small site with the program as it has been built, and keeps what V8 had to compile for that.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const { codeOf, loadCompiled } = require('../bin/code-cache.js')
const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const scratch = mkdtempSync(join(tmpdir(), 'usermgmt-build-'))
try {
  // Neither a configuration file nor a variable of whoever builds has a say.
  process.chdir(scratch)
  process.env = {}
  const site = ['--database', 'site.sqlite3', '--quiet']
  const usermgmt = (...args) => execFileSync(process.execPath, [pathOf('bin/usermgmt.js'), ...args, ...site])
  usermgmt('migrate')
  usermgmt('create-user', 'ada', '--email', 'ada@example.com', '--no-password', '--date-joined', '2015-01-01')

  const scripts = loadCompiled(pathOf('dist'))
  const exit = await require('../dist/main.cjs').main(['list-unverified', '--since', '2020-01-01', ...site])
  if (exit !== 0) throw new Error(`list-unverified ended with ${exit}`)
  for (const [file, script] of scripts) writeFileSync(codeOf(file), script.createCachedData())
} finally {
  process.chdir('/')
  rmSync(scratch, { recursive: true })
}
