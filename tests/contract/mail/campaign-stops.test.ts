import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test, vi } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import {
  campaign,
  DATABASE_LINKS,
  peopleOn,
  reminders,
  siteWithLedger,
  statuses,
  TestTransport,
  verify,
} from '../../support/campaign.ts'
import { testClock } from '../../support/clock.ts'
import { criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { rowsOf } from '../../support/sites.ts'

describeEachDatabase('a campaign stops', (harness) => {
  test('when no mail can be sent, and whoever got none has not used up a reminder', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 200)
    const broken = new UserError('the mail server cannot be reached')
    const first = new TestTransport((address) => (address === 'user60@example.com' ? broken : undefined))
    const report = await campaign(site, first, { links: DATABASE_LINKS, maxReminders: 1 })
    expect(report.stopped).toMatchObject({ error: { message: 'the mail server cannot be reached' } })
    expect(report.sent).toBe(first.sent.length)
    expect(await statuses(site)).toEqual(first.sent.map(() => 'sent'))
    expect(await rowsOf(site.db, 'account_emailconfirmation')).toHaveLength(first.sent.length)

    const second = new TestTransport()
    const rest = await campaign(site, second, { links: DATABASE_LINKS, maxReminders: 1 })
    expect(rest).toMatchObject({ sent: 200 - report.sent, skipped: { enough: report.sent } })
    expect(new Set([...first.addresses(), ...second.addresses()]).size).toBe(200)
  })

  test.each([
    ['at the 21st failure', undefined, 21, 31],
    ['at the fourth, when three are allowed', { kind: 'number', count: 3 } as const, 4, 14],
    ['at the second, when 1% of 150 are allowed', { kind: 'percent', percent: 1 } as const, 2, 12],
    ['at the 31st, when 20% of 150 are allowed', { kind: 'percent', percent: 20 } as const, 31, 41],
  ])('%s', async (_, maxFailures, least, most) => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 150)
    const transport = new TestTransport(() => 'bounced')
    const report = await campaign(site, transport, { maxFailures })
    expect(report.stopped).toMatchObject({
      error: { message: expect.stringMatching(/^stopped when \d+ of \d+ mails had failed or bounced$/) },
    })
    expect(report.bounced).toBeGreaterThanOrEqual(least)
    expect(report.bounced).toBeLessThanOrEqual(most)
    expect(await statuses(site)).toEqual(Array.from({ length: report.bounced }, () => 'bounced'))
  })

  test('at a user for whom the template fails, whom it names', async () => {
    const site = await siteWithLedger(harness)
    const [user] = await peopleOn(site, 'ann')
    const composer = {
      render: () => {
        throw new UserError('the template fails')
      },
      sender: { from: { name: '', address: 'forum@site.example' } },
      facts: { url: new URL('https://site.example/'), name: 'Example' },
      linkConfirms: true,
    }
    const report = await campaign(site, new TestTransport(), { composer })
    expect(report).toMatchObject({
      sent: 0,
      stopped: { error: { message: `user ${user}: the template fails` } },
    })
    expect(await statuses(site)).toEqual([])
  })

  test('at the very mail that is one too many, one at a time', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 20)
    const transport = new TestTransport(() => 'bounced')
    const maxFailures = { kind: 'number', count: 3 } as const
    const report = await campaign(site, transport, { maxFailures, concurrency: 1 })
    expect(report).toMatchObject({
      bounced: 4,
      stopped: { error: { message: expect.stringMatching(/^stopped when 4 of 4 /) } },
    })
    expect(transport.tried).toHaveLength(4)
  })

  test('not, when one in twenty fails', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 500)
    const transport = new TestTransport((address) => (/[27]0@/.test(address) ? 'refused' : undefined))
    const report = await campaign(site, transport)
    expect(report).toMatchObject({ sent: 490, failed: 10 })
    expect(report.stopped).toBeUndefined()
  })

  test('when it was taken for dead, and another one has begun', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 200)
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    const transport = new TestTransport(async (address) => {
      if (address !== 'user1@example.com') return undefined
      await site.db.run(sql`update usermgmt_lock set run_id = 'another'`)
      vi.advanceTimersByTime(15_000)
      return undefined
    })
    const report = await campaign(site, transport)
    expect(report.stopped).toMatchObject({
      error: { message: 'this campaign was taken for dead, and another one has begun' },
    })
    expect(report.sent).toBeLessThan(100)
  })

  test('for a while, when a thousand mails wait to be tried again', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 1_100)
    const { signal, abort } = interruption()
    let timer: NodeJS.Timeout | undefined
    const sleep = (_: number, until?: AbortSignal) => {
      clearTimeout(timer)
      // Long enough for one more to be tried.
      if (transport.tried.length >= 1_000) timer = setTimeout(abort, 500)
      return new Promise<void>((resolve) => until?.addEventListener('abort', () => resolve()))
    }
    const transport = new TestTransport(() => 'deferred')
    const report = await campaign(site, transport, { signal, clock: { ...testClock(), sleep } })
    expect(report).toMatchObject({ failed: 0, stopped: 'interrupted' })
    expect(transport.tried).toHaveLength(1_000)
  })

  test('at Ctrl-C, when the mails at hand have gone', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 200)
    const { signal, abort } = interruption()
    const transport = new TestTransport((address) => {
      if (address === 'user60@example.com') abort()
      return undefined
    })
    const report = await campaign(site, transport, { signal })
    expect(report.stopped).toBe('interrupted')
    expect(report.sent).toBe(transport.sent.length)
    expect(report.sent).toBeLessThan(70)
    expect(await statuses(site)).toEqual(transport.sent.map(() => 'sent'))
  })

  test('at Ctrl-C without waiting to try again', async () => {
    const site = await siteWithLedger(harness)
    await peopleOn(site, 'ann')
    const { signal, abort } = interruption()
    const transport = new TestTransport(() => {
      abort()
      return 'deferred'
    })
    expect(await campaign(site, transport, { signal })).toMatchObject({ failed: 0, stopped: 'interrupted' })
    expect(transport.tried).toHaveLength(1)
    expect(await reminders(site)).toEqual([])
  })

  test('at the limit', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 120)
    const transport = new TestTransport()
    const asked = criteria({ selection: { limit: 70 } })
    const report = await campaign(site, transport, {
      criteria: asked,
      meanwhile: () => verify(site, 'user3@example.com'),
    })
    expect(report).toMatchObject({ matched: 120, sent: 69, changed: 1 })
  })
})

function interruption() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
