import { createHash } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { describeEachDatabase, type Harness } from '../support/databases.ts'
import { insert, siteIn, type TestSite } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

interface Reminder {
  readonly user: string
  readonly email: string
  readonly status?: string
  readonly at?: string
  readonly finished?: string
  /** The date that it named. */
  readonly deletion?: string
  readonly run?: string
}

/** The example site with a ledger; the clock says 2025-06-15 12:00 UTC. */
async function siteWithLedger(harness: Harness) {
  const { database, url } = await exampleSite(harness)
  await usermgmt(['migrate', '--database', url])
  const site = await siteIn(database)
  for (const id of ['r1', 'r2']) {
    const at = '2025-05-01T00:00:00Z'
    const run = {
      id,
      command: 'email',
      options: '{}',
      actor: 'ann',
      host: 'web1',
      version: '1',
      started_at: at,
    }
    await insert(site, 'usermgmt_run', run)
  }
  const list = (args = '') =>
    usermgmt(`list --since 2020-01-01 --reminded-before 14d --format ids --quiet ${args}`.trim().split(' '), {
      env: { DATABASE_URL: site.url },
    })
  const purge = (args: string) =>
    usermgmt(`purge --since 2020-01-01 --reminded-before 14d ${args}`.split(' '), {
      env: { DATABASE_URL: site.url },
    })
  return { site, list, purge }
}

function remind(
  site: TestSite,
  { user, email, status = 'sent', at, finished, deletion, run = 'r1' }: Reminder,
): Promise<string> {
  const time = at ?? '2025-05-01T00:00:00Z'
  return insert(site, 'usermgmt_reminder', {
    run_id: run,
    user_key: user,
    email_sha256: createHash('sha256').update(email).digest('hex'),
    address_key: user,
    status,
    created_at: time,
    finished_at: status === 'sending' ? null : (finished ?? time),
    deletion_at: deletion ?? null,
    attempts: 1,
  })
}

const THREE = { user: '3', email: 'x81@mail.example' }
const FOUR = { user: '4', email: 'x82@mail.example' }

describeEachDatabase('--reminded-before', (harness) => {
  test('demands a reminder', async () => {
    const { site, list } = await siteWithLedger(harness)
    expect((await list()).stdout).toBe('')
    await remind(site, THREE)
    expect((await list()).stdout).toBe('3\n')
  })

  test.each<[string, readonly Omit<Reminder, 'user' | 'email'>[], boolean]>([
    ['delivered exactly then', [{ at: '2025-06-01T12:00:00Z' }], true],
    ['delivered later', [{ at: '2025-06-01T12:00:01Z' }], false],
    ['delivered long ago, and again since', [{}, { at: '2025-06-10T00:00:00Z' }], false],
    ['delivered twice long ago', [{}, { at: '2025-05-20T00:00:00Z' }], true],
    ['bounced', [{ status: 'bounced' }], false],
    ['failed', [{ status: 'failed' }], false],
    ['never known to have left', [{ status: 'sending' }], false],
    ['delivered, the last one bounced', [{}, { status: 'bounced', at: '2025-05-20T00:00:00Z' }], false],
    ['failed, then delivered', [{ status: 'failed' }, { at: '2025-05-20T00:00:00Z' }], true],
  ])('%s', async (_, reminders, selected) => {
    const { site, list } = await siteWithLedger(harness)
    for (const reminder of reminders) await remind(site, { ...THREE, ...reminder })
    expect((await list()).stdout).toBe(selected ? '3\n' : '')
  })

  test.each([
    ['2019-12-01T00:00:01Z', '2019-12-01T00:00:00Z', '3\n'],
    ['2019-12-01T00:00:00Z', '2019-12-01T00:00:00Z', ''],
    ['2019-11-30T23:59:59Z', '2019-12-01T00:00:00Z', ''],
  ])('reminded at %s, logged in at %s', async (at, login, listed) => {
    const { site, list } = await siteWithLedger(harness)
    await remind(site, { ...THREE, at })
    await site.db.update(site.tables.users).set({ last_login: login }).where(eq(site.tables.users.key, '3'))
    expect((await list()).stdout).toBe(listed)
  })

  test('whoever logs in while the mail is on its way has come back', async () => {
    const { site, list } = await siteWithLedger(harness)
    await remind(site, { ...THREE, at: '2019-12-01T00:00:00Z', finished: '2019-12-01T00:00:08Z' })
    const login = { last_login: '2019-12-01T00:00:03Z' }
    await site.db.update(site.tables.users).set(login).where(eq(site.tables.users.key, '3'))
    expect((await list()).stdout).toBe('')
  })

  test.each([
    ['2025-05-01T00:00:00Z', '3\n'],
    ['2025-05-01T00:00:01Z', ''],
  ])('a reminder to another account that had the key until %s', async (date_joined, listed) => {
    const { site, list } = await siteWithLedger(harness)
    await remind(site, THREE)
    await site.db.update(site.tables.users).set({ date_joined }).where(eq(site.tables.users.key, '3'))
    expect((await list('--grace 0')).stdout).toBe(listed)
  })

  test.each([
    ['2025-06-15T12:00:00Z', '3\n'],
    ['2025-06-15T12:00:01Z', ''],
  ])('whoever was told of a deletion on %s', async (deletion, listed) => {
    const { site, list } = await siteWithLedger(harness)
    await remind(site, { ...THREE, deletion })
    await remind(site, { ...THREE, at: '2025-05-20T00:00:00Z' })
    expect((await list()).stdout).toBe(listed)
  })

  test('a reminder to an address that the user no longer has is none', async () => {
    const { site, list } = await siteWithLedger(harness)
    await remind(site, { ...THREE, email: 'old@mail.example' })
    expect((await list()).stdout).toBe('')
  })

  test.each([
    ['sent', ['recent']],
    ['sending', ['recent']],
    ['bounced', []],
    ['failed', []],
  ])('whoever was reminded within the grace period, %s: kept by %j', async (status, kept) => {
    const { site } = await siteWithLedger(harness)
    await remind(site, { ...THREE, status, at: '2025-06-10T00:00:00Z' })
    const args = 'list --since 2020-01-01 --user x81@mail.example --fields id,kept_because'
    const { stdout } = await usermgmt([...args.split(' '), '--format', 'json'], {
      env: { DATABASE_URL: site.url },
    })
    expect(JSON.parse(stdout)).toEqual([{ id: '3', kept_because: kept }])
  })

  test('purge deletes only those', async () => {
    const { site, purge } = await siteWithLedger(harness)
    await remind(site, THREE)
    const { exit, stderr, stdout } = await purge('--yes --no-archive --format json')
    expect(exit).toBe(0)
    expect(stderr).toContain('last reminded before 2025-06-01 12:00 UTC')
    expect(JSON.parse(stdout)).toMatchObject({ matched: 1, deleted: 1 })
  })

  describe('when the last run', () => {
    test('mostly failed, a purge is refused', async () => {
      const { site, purge } = await siteWithLedger(harness)
      await remind(site, THREE)
      await remind(site, { ...FOUR, status: 'bounced', run: 'r2' })
      await remind(site, { user: '2', email: 'anna@example.com', status: 'failed', run: 'r2' })
      await remind(site, { user: '1', email: 'root@example.com', run: 'r2' })
      expect(await purge('--yes --quiet')).toMatchObject({
        exit: 3,
        stdout: '',
        stderr:
          'usermgmt: refused: 2 of the 3 reminders of the last run failed, bounced or were cut off; see why (usermgmt history), and remind them again before anybody is deleted; or, if that says nothing, --despite-failures\n',
      })
      expect(await purge('--dry-run')).toMatchObject({
        exit: 0,
        stderr: expect.stringContaining(
          'warning: 2 of the 3 reminders of the last run failed, bounced or were cut off; to delete them takes --despite-failures\n',
        ),
      })
      expect(await purge('--yes --quiet --no-archive --despite-failures')).toMatchObject({ exit: 0 })
    })

    test('was mostly cut off, a purge is refused as well', async () => {
      const { site, purge } = await siteWithLedger(harness)
      await remind(site, THREE)
      for (const user of ['1', '2', '4']) {
        const status = user === '1' ? 'sent' : 'sending'
        await remind(site, { user, email: `${user}@example.com`, status, run: 'r2' })
      }
      expect(await purge('--yes --quiet')).toMatchObject({
        exit: 3,
        stderr: expect.stringContaining('refused: 2 of the 3 reminders of the last run'),
      })
    })

    test('failed for half, it is not', async () => {
      const { site, purge } = await siteWithLedger(harness)
      await remind(site, THREE)
      await remind(site, { ...FOUR, status: 'bounced' })
      expect(await purge('--yes --quiet --no-archive')).toMatchObject({ exit: 0 })
    })
  })

  test('needs the ledger', async () => {
    const { url } = await exampleSite(harness)
    const args = ['list', '--reminded-before', '14d', '--database', url, '--quiet']
    expect(await usermgmt(args)).toMatchObject({
      exit: 1,
      stdout: '',
      stderr:
        'usermgmt: there is no ledger: nobody has been reminded; usermgmt migrate makes its tables; then remind them with: usermgmt email\n',
    })
  })
})
