import { expect, test } from 'vitest'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase } from '../../support/databases.ts'
import { allRowsOf, createSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'
import { untilSomebodyWaits } from '../../support/waiting.ts'

describeDatabase('postgres', 'whoever is about to change when their batch comes', (harness) => {
  test.each([
    ['verified', {}, 'update account_emailaddress set verified = true'],
    ['has logged in', {}, 'update auth_user set last_login = now()'],
    ['is of the staff', { staff: 1 }, 'update auth_user set is_staff = true'],
    [
      'signs in with another account',
      { social: 1 },
      `set constraints all immediate; insert into socialaccount_socialaccount
        (provider, uid, last_login, date_joined, extra_data, user_id) select 'github', '1', now(), now(), '{}', id from auth_user`,
    ],
  ])('%s, and is kept', async (_, kept, change) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site)
    const plan = await planPurge(site, criteria(), { batchSize: 10 })
    const visitor = await site.database.connect()
    await visitor.run(`begin; ${change}`)
    const purged = purge(site, criteria(), plan)
    await untilSomebodyWaits(visitor, 'lock')
    await visitor.run('commit')
    const rows = await allRowsOf(site.db)
    expect(await purged).toMatchObject({ deleted: 0, kept, failed: [], stopped: undefined })
    expect(await allRowsOf(site.db)).toEqual(rows)
  })
})
