import { spawnSync } from 'node:child_process'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../src/package-root.ts'
import { BIN, createDemoDatabase } from './database.ts'

const DATABASE = join(fileURLToPath(packageRoot()), '.cache', 'demo.sqlite3')

/** Runs a command line as a person would, and shows it first. */
function usermgmt(args: string): void {
  process.stdout.write(`\n$ usermgmt ${args}\n`)
  const { status } = spawnSync(process.execPath, [BIN, ...args.split(' ')], {
    stdio: 'inherit',
    env: { ...process.env, USERMGMT_DATABASE_URL: DATABASE },
  })
  if (status !== 0) throw new Error(`usermgmt ${args} ended with exit code ${status}`)
}

const accounts = createDemoDatabase(DATABASE, new Date())
const shown = relative(process.cwd(), DATABASE)
process.stdout.write(`A site with ${accounts.toLocaleString('en')} accounts, bots included, is in ${shown}\n`)
// A terminal shows the first page; a log needs no more than that either.
usermgmt(`list-unverified --since 2020-01-01${process.stdout.isTTY ? '' : ' --limit 20'}`)
usermgmt('purge --since 2020-01-01 --dry-run')
process.stdout.write(`
Try next:
  export USERMGMT_DATABASE_URL=${shown}
  npm start -- list-unverified --since 2020-01-01 --kept
  npm start -- purge --since 2020-01-01
  npm start -- create-user ada --email ada@example.com
  npm start -- --help
`)
