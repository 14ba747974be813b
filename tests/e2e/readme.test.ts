import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { BIN, createDemoDatabase } from '../demo/database.ts'
import { withDirectory } from '../support/directory.ts'
import { blocks, type Shown, session } from '../support/readme.ts'
import { startMailServer } from '../support/smtp.ts'

const run = promisify(execFile)

/** Where the README's site is; in the tests it is a directory of their own. */
const SITE = '/srv/site'
const ARCHIVE = /purge-\d{8}T\d{6}Z-[0-9a-f]+\.ndjson\.gz/g
const NOW = new Date('2026-01-05T04:15:00Z')

let directory: string
withDirectory(beforeAll, async (path) => {
  directory = path
  await mkdir(join(directory, 'bin'))
  await symlink(BIN, join(directory, 'bin', 'usermgmt'))
  createDemoDatabase(join(directory, 'fresh.sqlite3'), NOW)
})

/** Returns a directory that holds the site's database. */
async function freshSite(): Promise<string> {
  const site = await mkdtemp(join(directory, 'site-'))
  await cp(join(directory, 'fresh.sqlite3'), join(site, 'db.sqlite3'))
  return site
}

/** Returns the commands of a crontab, and expects that it says where they are: cron itself looks only where Debian puts things. */
function commandsOf(crontab: string, site: string): string[] {
  const [path, ...lines] = crontab.split('\n')
  expect(path).toBe('PATH=/usr/local/bin:/usr/bin:/bin')
  return lines.map((line) => line.replace(/^(\S+ +){5}/, '').replaceAll(SITE, site))
}

/** Runs a script of the shell in the site; returns what is on the screen. Throws when it fails. */
async function shell(script: string, site: string): Promise<string> {
  const { USERMGMT_DATABASE_URL: _, DATABASE_URL: __, ...inherited } = process.env
  const env = { ...inherited, PATH: `${join(directory, 'bin')}:${process.env.PATH}` }
  const { stdout } = await run('bash', ['-euc', `exec 2>&1\n${script}`], { cwd: site, env })
  return stdout.trimEnd()
}

describe('the session', () => {
  const shown = session()
  const ran: string[] = []

  beforeAll(async () => {
    const site = await freshSite()
    const exports: string[] = []
    for (const { command } of shown) {
      const here = await asHere(command, site)
      ran.push(asShown(await shell([...exports, here].join('\n'), site), site))
      if (here.startsWith('export ')) exports.push(here)
    }
  })

  test.each(shown.map((each, i): [string, number, Shown] => [each.command, i, each]))(
    '$ %s',
    (_, i, { output }) => {
      expect(ran[i]).toBe(output.replace(ARCHIVE, 'ARCHIVE'))
    },
  )
})

/** The name of an archive holds the time and chance. */
async function asHere(command: string, site: string): Promise<string> {
  const [archive = ''] = await readdir(join(site, 'usermgmt-archive')).catch(() => [])
  return command.replaceAll(SITE, site).replace(ARCHIVE, archive)
}

function asShown(screen: string, site: string): string {
  return screen.replaceAll(site, SITE).replace(ARCHIVE, 'ARCHIVE')
}

test('the configuration file is one, and the lines for cron run with it', async () => {
  const site = await freshSite()
  const [config = ''] = blocks('json')
  const [crontab = ''] = blocks('cron')
  await writeFile(join(site, 'usermgmt.config.json'), config.replaceAll(SITE, site))
  const commands = commandsOf(crontab, site)
  expect(commands).toHaveLength(2)
  for (const command of commands) await shell(command, site)
  expect(await readdir(join(site, 'usermgmt-archive'))).toHaveLength(1)
})

test('the policy is one, and the lines for cron and the timer run with it', async () => {
  const site = await freshSite()
  const server = await startMailServer()
  const [, config = ''] = blocks('json')
  const content = JSON.parse(config.replaceAll(SITE, site))
  // At five mails a second nobody would wait for it.
  content.mail = { ...content.mail, smtp_url: `smtp://127.0.0.1:${server.port}?tls=off`, rate: 0 }
  await writeFile(join(site, 'usermgmt.config.json'), JSON.stringify(content))
  await writeFile(join(site, 'secret-key'), 'the key of the site\n')
  const [crontab = ''] = blocks('crontab')
  const [service = ''] = blocks('ini')
  const [fromCron = ''] = commandsOf(crontab, site)
  const fromTimer = /^ExecStart=(.*)$/m.exec(service)?.[1] ?? ''
  expect(await shell(fromCron, site)).toMatch(/^\d+ users reminded, 0 users deleted, of \d+ candidates\n/)
  expect(server.mails.length).toBeGreaterThan(100)
  expect(await shell(fromTimer, site)).toBe('')
})

test('the lines that set it up name scripts of the package', async () => {
  const { scripts } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(blocks('sh')).toEqual(['npm ci && npm run demo\nnpm test'])
  expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) })
})
