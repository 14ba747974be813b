import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { addCrowd } from '../support/crowd.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { createSite, rowsOf } from '../support/sites.ts'

const BIN = fileURLToPath(new URL('../../bin/usermgmt.js', import.meta.url))
/** Enough for a purge in small batches to be at work for a while. */
const USERS = 5_000

const run = promisify(execFile)

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command in processes of their own, all started at once. */
function atOnce(commands: readonly (readonly string[])[]): Promise<Ended[]> {
  return Promise.all(
    commands.map((args) =>
      run(process.execPath, [BIN, ...args]).then(
        (ended) => ({ ...ended, code: 0 }),
        (failed: Ended) => failed,
      ),
    ),
  )
}

describeEachDatabase('several processes at once', (harness) => {
  test('migrate: one does it, the others find it done', async () => {
    const database = await harness.empty()
    const migrate = ['--database', database.url, 'migrate']
    const ended = await atOnce([migrate, migrate, migrate])
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(ended.map(({ stdout }) => stdout).sort()).toEqual([
      '',
      '',
      'applied site/0000_django_allauth\napplied ledger/0000_ledger\napplied ledger/0001_deletion_user_key\n',
    ])
    expect(await rowsOf(database.db, 'usermgmt_migration')).toHaveLength(3)
    expect(await rowsOf(database.db, 'django_migrations')).toHaveLength(25)
  })

  test('create-user: one address, one user, though the site has no constraint', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const create = (name: string, email = 'same@example.com') => [
      ...['--database', site.url, 'create-user', name, '--email', email, '--no-password'],
    ]
    const ended = await atOnce([
      create('ann'),
      create('bob'),
      create('cleo'),
      create('dora', 'dora@example.com'),
    ])
    expect(ended.map(({ code }) => code).sort()).toEqual([0, 0, 1, 1])
    for (const { stderr } of ended.filter(({ code }) => code === 1)) {
      expect(stderr).toMatch(/^usermgmt: the address same@example\.com is taken; .*\n$/)
    }
    expect(await rowsOf(site.db, 'auth_user')).toHaveLength(2)
  })

  test('purge: one works, the other is refused and says since when the first one does', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, USERS)
    await run(process.execPath, [BIN, '--database', site.url, 'migrate'])
    const purge = ['--database', site.url, 'purge', '--since', '2020-01-01', '--yes', '--max-delete', '100%']
    const first = atOnce([[...purge, '--no-archive', '--batch-size', '5', '--format', 'json']])
    while ((await site.db.$count(site.tables.users)) === USERS) await pause(20)
    const [second] = await atOnce([[...purge, '--no-archive', '--quiet']])
    expect(second).toMatchObject({ code: 3, stdout: '' })
    expect(second?.stderr).toMatch(
      /^usermgmt: another purge has been running since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(process \d+ on \S+\); .*\n$/,
    )
    const [done] = await first
    expect(JSON.parse(done?.stdout ?? '')).toMatchObject({ deleted: USERS, failed: [] })
    expect(await rowsOf(site.db, 'usermgmt_deletion')).toHaveLength(USERS)
  })
})
