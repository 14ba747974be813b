#!/usr/bin/env node
const { existsSync } = require('node:fs')
const { join } = require('node:path')

// Node 22 and later keep the compiled program for the next start; only for what is loaded after this.
if (Number.parseInt(process.versions.node, 10) >= 22) require('node:module').enableCompileCache?.()

const program = join(__dirname, '../dist/main.cjs')

if (existsSync(program)) {
  require(program)
    .main(process.argv.slice(2))
    .then((exit) => {
      process.exitCode = exit
    })
} else {
  process.stderr.write('usermgmt: the program has not been built yet; npm run build\n')
  process.exitCode = 1
}
