import { expect, test } from 'vitest'
import { describeDatabase } from '../support/databases.ts'
import { rowsOf } from '../support/sites.ts'
import { mailingSite, SENDER } from './mailing.ts'

const HOUR = 3_600_000
const MAIL = [...SENDER, '--secret-key-file', 'secret-key.txt', '--outbox', 'outbox', '--yes']

describeDatabase('postgres', 'a clock that is ahead of the server', (harness) => {
  test.each([
    ['purge', '--yes', '--no-archive'],
    ['purge', '--dry-run'],
    ['email', ...MAIL],
  ])('by days keeps everybody: %s %s', async (...args) => {
    const { run, site, outbox } = await mailingSite(harness)
    const people = await rowsOf(site.db, 'auth_user')
    expect(await run(args, { now: new Date(Date.now() + 49 * HOUR) })).toMatchObject({
      exit: 3,
      stdout: '',
      stderr:
        "usermgmt: refused: the clock of this machine is 2 days ahead of the database server's; set the one that is wrong: by it everybody looks as if they had not logged in for so long\n",
    })
    expect(await rowsOf(site.db, 'auth_user')).toEqual(people)
    expect((await outbox()).size).toBe(0)
  })

  test('by hours is heeded', async () => {
    const { run } = await mailingSite(harness)
    const purged = await run(['purge', '--yes', '--no-archive'], { now: new Date(Date.now() + 23 * HOUR) })
    expect(purged).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^[1-9] users? deleted/) })
  })
})
