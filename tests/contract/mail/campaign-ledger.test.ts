import { expect, test } from 'vitest'
import type { MailOutcome } from '../../../src/mail/transport.ts'
import {
  campaign,
  DATABASE_LINKS,
  peopleOn,
  recordReminder,
  reminders,
  siteWithLedger,
  statuses,
  TestTransport,
} from '../../support/campaign.ts'
import { criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { insert, rowsOf } from '../../support/sites.ts'

describeEachDatabase('a campaign writes down', (harness) => {
  test.each<[MailOutcome['kind'], string, string, object]>([
    ['bounced', 'bounced', '1', { bounced: 1 }],
    ['refused', 'failed', '1', { failed: 1 }],
    ['deferred', 'failed', '4', { failed: 1 }],
    ['uncertain', 'sending', '1', { uncertain: 1 }],
  ])('what was %s as %s, after %s attempts', async (kind, status, attempts, counts) => {
    const site = await siteWithLedger(harness)
    const [user] = await peopleOn(site, 'ann')
    const report = await campaign(site, new TestTransport(() => kind))
    const shown = status === 'sending' ? 'uncertain' : status
    expect(report).toMatchObject({
      sent: 0,
      ...counts,
      problems: [{ id: user, status: shown, reply: `250 ${kind}` }],
    })
    const [row] = await reminders(site)
    expect(row).toMatchObject({ status, attempts, reply: `250 ${kind}` })
    expect(row?.finished_at === null).toBe(status === 'sending')
  })

  test('as perhaps sent, what an unexpected error has cut off', async () => {
    const site = await siteWithLedger(harness)
    await peopleOn(site, 'ann')
    const bug = new Error('a bug')
    expect(await campaign(site, new TestTransport(() => bug))).toMatchObject({
      sent: 0,
      uncertain: 1,
      stopped: { error: bug },
    })
    expect(await statuses(site)).toEqual(['sending'])
  })

  test('what has gone out, also when those who come next cannot be prepared', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 60)
    const bug = new Error('a bug')
    const transport = new TestTransport()
    const report = await campaign(site, transport, {
      deletionDate: ({ key }) => {
        // The first of the second group.
        if (key === '41') throw bug
        return null
      },
    })
    expect(report).toMatchObject({ sent: transport.sent.length, stopped: { error: bug } })
    expect(transport.sent).not.toEqual([])
    expect(await statuses(site)).toEqual(transport.sent.map(() => 'sent'))
  })

  test('that a mail went out at the third attempt', async () => {
    const site = await siteWithLedger(harness)
    await peopleOn(site, 'ann')
    const transport = new TestTransport((_, attempt) => (attempt < 3 ? 'deferred' : undefined))
    expect(await campaign(site, transport)).toMatchObject({ sent: 1, failed: 0 })
    expect(await reminders(site)).toMatchObject([{ status: 'sent', attempts: '3' }])
  })

  test('when the account will be deleted, as the mail says it', async () => {
    const site = await siteWithLedger(harness)
    const [user = ''] = await peopleOn(site, 'ann', 'bob')
    const promised = '2025-07-01T00:00:00Z'
    await recordReminder(site, { user, email: 'ann@example.com' })
    const transport = new TestTransport()
    await campaign(site, transport, {
      deletionDate: (_, earlier) => (earlier.length > 0 ? promised : null),
    })
    expect((await reminders(site)).map(({ deletion_at }) => deletion_at)).toEqual([null, promised, null])
    const texts = transport.sent.map(({ envelope, text }) => [envelope.to[0], text.includes('1 July 2025')])
    expect(Object.fromEntries(texts)).toEqual({ 'ann@example.com': true, 'bob@example.com': false })
  })

  test('a confirmation for each mail, when the site keeps them', async () => {
    const site = await siteWithLedger(harness)
    await peopleOn(site, 'ann', 'bob')
    const transport = new TestTransport()
    await campaign(site, transport, { links: DATABASE_LINKS })
    const rows = await rowsOf(site.db, 'account_emailconfirmation')
    expect(rows).toHaveLength(2)
    for (const { key, email_address_id } of rows) {
      const addresses = await rowsOf(site.db, 'account_emailaddress')
      const address = addresses.find(({ id }) => id === email_address_id)?.email
      const mail = transport.sent.find(({ envelope }) => envelope.to[0] === address)
      expect(mail?.text).toContain(`https://site.example/confirm/${key}/`)
    }
  })

  test('no confirmation of its own is a sign of life', async () => {
    const site = await siteWithLedger(harness)
    await peopleOn(site, 'ann')
    const asked = criteria({ guards: { recentAfter: '2025-06-08T12:00:00Z' } })
    const parts = { links: DATABASE_LINKS, criteria: asked, againAfter: '0' }
    expect(await campaign(site, new TestTransport(), parts)).toMatchObject({ sent: 1 })
    expect(await campaign(site, new TestTransport(), parts)).toMatchObject({ sent: 1 })
  })

  test('but one of the site is, also of whoever has been reminded', async () => {
    const site = await siteWithLedger(harness)
    const [ann, bob] = await peopleOn(site, 'ann', 'bob')
    const asked = criteria({ guards: { recentAfter: '2025-06-08T12:00:00Z' } })
    const parts = { links: DATABASE_LINKS, criteria: asked, againAfter: '0' }
    expect(await campaign(site, new TestTransport(), parts)).toMatchObject({ sent: 2 })
    const address = (await rowsOf(site.db, 'account_emailaddress')).find(({ user_id }) => user_id === ann)
    await insert(site, 'account_emailconfirmation', {
      email_address_id: Number(address?.id),
      sent: '2025-06-14T12:00:00Z',
    })
    const transport = new TestTransport()
    expect(await campaign(site, transport, parts)).toMatchObject({ sent: 1, kept: { recent: 1 } })
    expect(transport.addresses()).toEqual(['bob@example.com'])
    expect((await reminders(site)).at(-1)).toMatchObject({ user_key: bob })
  })
})
