#!/usr/bin/env node
const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { loadCompiled } = require('./code-cache.js')

const directory = join(__dirname, '../dist')
const program = join(directory, 'main.cjs')

if (existsSync(program)) {
  loadCompiled(directory)
  // What waits for something that never comes ends without an answer. (To commander, a code set earlier means something.)
  process.on('exit', () => {
    process.exitCode ??= 1
  })
  require(program)
    .main(process.argv.slice(2))
    .then((exit) => {
      process.exitCode = exit
    })
} else {
  process.stderr.write('usermgmt: the program has not been built yet; npm run build\n')
  process.exitCode = 1
}
