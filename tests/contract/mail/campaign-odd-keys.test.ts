import { expect, test } from 'vitest'
import { judgeUser, planCampaign } from '../../../src/mail/campaign-plan.ts'
import { lifeSteps } from '../../../src/mail/life-steps.ts'
import type { Criteria } from '../../../src/users/criteria.ts'
import { campaign, peopleOn, siteWithLedger, TestTransport } from '../../support/campaign.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase } from '../../support/databases.ts'
import type { TestSite } from '../../support/sites.ts'

describeDatabase('sqlite', 'keys that another program than Django has written', (harness) => {
  const rules = { maxReminders: 3 }
  const options = { namesDate: false }

  /** `id` as SQL. */
  async function siteWithId(id: string) {
    const site = await siteWithLedger(harness, 'uuid-user')
    const [ann] = await peopleOn(site, 'ann', 'bob')
    await site.database.run(`begin; update ${site.shape.users.name} set id = ${id} where id = '${ann}';
      update account_emailaddress set user_id = ${id} where user_id = '${ann}'; commit`)
    return site
  }

  async function stepsOn(site: TestSite, remove?: Criteria) {
    const found: string[] = []
    const sweep = { candidates: criteria(), remind: criteria(), remove, rules }
    for await (const { step } of lifeSteps(site, sweep)) found.push(step)
    return found.sort()
  }

  test.each([
    ['in upper case', '0A1B2C3D4E5F60718293A4B5C6D7E8F9'],
    ['with dashes', '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'],
  ])('%s: the user is mailed like any other, and listed so', async (_, id) => {
    const site = await siteWithId(`'${id}'`)
    const plan = await planCampaign(site, criteria(), rules, options)
    expect(plan).toMatchObject({ matched: 2, toMail: 2, skipped: {} })
    expect(await judgeUser(site, criteria(), rules, options, id)).toMatchObject({ key: id, guards: [] })
    expect(await stepsOn(site)).toEqual(['remind', 'remind'])
    expect(await stepsOn(site, criteria())).toEqual(['delete', 'delete'])
    const transport = new TestTransport()
    expect(await campaign(site, transport)).toMatchObject({ sent: 2 })
    expect(transport.addresses()).toEqual(['ann@example.com', 'bob@example.com'])
  })

  test('as bytes: no mail finds the user, and the sums say so', async () => {
    const site = await siteWithId("x'616e6e'")
    const plan = await planCampaign(site, criteria(), rules, options)
    expect(plan).toMatchObject({ matched: 2, toMail: 1, skipped: { unmailable: 1 } })
    expect(await stepsOn(site)).toEqual(['remind', 'stuck'])
  })
})
