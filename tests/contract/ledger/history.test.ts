import { expect, test } from 'vitest'
import { deletionsOf, remindersOf } from '../../../src/ledger/history.ts'
import { siteWithLedger } from '../../support/campaign.ts'
import { describeEachDatabase, type Harness } from '../../support/databases.ts'
import { insert, type TestSite } from '../../support/sites.ts'

const AT = '2025-06-15T12:00:00Z'

/** Two runs, of which each has deleted and reminded so many users. */
async function siteWithRuns(harness: Harness, users: number): Promise<TestSite> {
  const site = await siteWithLedger(harness)
  for (const id of ['one', 'other']) {
    const facts = { command: 'email', options: '{}', actor: 'ann', host: 'web1', version: '1' }
    await insert(site, 'usermgmt_run', { id, ...facts, started_at: AT })
    for (let user = 1; user <= users; user++) {
      const of = { run_id: id, user_key: `${user}` }
      await insert(site, 'usermgmt_deletion', { ...of, deleted_at: AT })
      await insert(site, 'usermgmt_reminder', {
        ...of,
        email_sha256: 'x'.repeat(64),
        address_key: '1',
        status: 'sent',
        created_at: AT,
        attempts: 1,
      })
    }
  }
  return site
}

async function usersOf(rows: AsyncIterable<{ user: string }>): Promise<string[]> {
  const users: string[] = []
  for await (const { user } of rows) users.push(user)
  return users
}

describeEachDatabase('what a run has done', (harness) => {
  test.each([0, 1, 2, 3, 4])('is read page by page to its end: %d users, two in a page', async (number) => {
    const site = await siteWithRuns(harness, number)
    const all = Array.from({ length: number }, (_, index) => `${index + 1}`)
    expect(await usersOf(deletionsOf(site, 'one', 2))).toEqual(all)
    expect(await usersOf(remindersOf(site, 'one', 2))).toEqual(all)
  })
})
