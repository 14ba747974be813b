import { expect, test } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import { campaign, peopleOn, recordReminder, siteWithLedger, TestTransport } from '../../support/campaign.ts'
import { criteria } from '../../support/criteria.ts'
import { describeEachDatabase } from '../../support/databases.ts'

describeEachDatabase('mails of a campaign that fail every time', (harness) => {
  const failing = (address: string) => (address.startsWith('bad') ? 'refused' : undefined)
  const maxFailures = { kind: 'number', count: 1 } as const

  test('come last: nobody waits behind them for ever', async () => {
    const site = await siteWithLedger(harness)
    await peopleOn(site, 'bad1', 'bad2', 'bad3', 'good1', 'good2')
    const transport = new TestTransport(failing)
    const first = await campaign(site, transport, { maxFailures, concurrency: 1 })
    expect(first).toMatchObject({ sent: 0, stopped: { error: expect.any(UserError) } })
    const second = await campaign(site, transport, { maxFailures, concurrency: 1 })
    expect(second).toMatchObject({ sent: 2 })
    expect(transport.addresses()).toEqual(['good1@example.com', 'good2@example.com'])
  })

  test('come after the others in a limit, which holds for them too', async () => {
    const site = await siteWithLedger(harness)
    const keys = await peopleOn(site, 'bad1', 'bad2', 'bad3', 'good1', 'good2')
    for (const number of [1, 2, 3]) {
      const user = keys[number - 1] ?? ''
      await recordReminder(site, { user, email: `bad${number}@example.com`, status: 'failed' })
    }
    const transport = new TestTransport()
    const asked = criteria({ selection: { limit: 3 } })
    expect(await campaign(site, transport, { criteria: asked })).toMatchObject({ matched: 5, sent: 3 })
    expect(transport.addresses()).toEqual(['bad1@example.com', 'good1@example.com', 'good2@example.com'])
  })

  test('are left alone for a while after three times', async () => {
    const site = await siteWithLedger(harness)
    const [bad = ''] = await peopleOn(site, 'bad', 'good')
    for (const at of ['2025-06-12', '2025-06-13', '2025-06-14']) {
      await recordReminder(site, {
        user: bad,
        email: 'bad@example.com',
        status: 'failed',
        at: `${at}T00:00:00Z`,
      })
    }
    expect(await campaign(site, new TestTransport(failing))).toMatchObject({
      sent: 1,
      failed: 0,
      skipped: { failing: 1 },
    })
    const later = await campaign(site, new TestTransport(failing), { at: '2025-06-25T00:00:00Z' })
    expect(later).toMatchObject({ failed: 1, skipped: {} })
  })
})
