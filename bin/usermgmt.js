#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'

// Node 22 and later keep the compiled program for the next start; only for what is imported after this.
module.enableCompileCache?.()
// What CommonJS packages call, and ES modules lack: the program holds some of both.
globalThis.require = module.createRequire(import.meta.url)

const program = new URL('../dist/main.js', import.meta.url)

if (existsSync(program)) {
  const { main } = await import(program.href)
  process.exitCode = await main(process.argv.slice(2))
} else {
  process.stderr.write('usermgmt: the program has not been built yet; npm run build\n')
  process.exitCode = 1
}
