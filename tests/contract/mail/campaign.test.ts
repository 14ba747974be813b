import { eq, sql } from 'drizzle-orm'
import { simpleParser } from 'mailparser'
import { describe, expect, test, vi } from 'vitest'
import { sourceOf } from '../../../src/mail/message.ts'
import {
  campaign,
  peopleOn,
  recordReminder,
  reminders,
  SECRET,
  siteWithLedger,
  statuses,
  TestTransport,
  verify,
} from '../../support/campaign.ts'
import { NOW, testClock } from '../../support/clock.ts'
import { readConfirmationKey } from '../../support/confirmation-key.ts'
import { criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { insert, REAL_SITES, rowsOf, siteIn, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

describeEachDatabase('a campaign', (harness) => {
  test('sends nothing that the ledger has not taken', async () => {
    const site = await siteWithLedger(harness)
    await peopleOn(site, 'ann')
    await site.database.run(
      harness.pick({
        sqlite: `create trigger keeps_out before insert on usermgmt_reminder
          begin select raise(ignore); end`,
        postgres: `create function keep_out() returns trigger language plpgsql as $$ begin return null; end $$;
          create trigger keeps_out before insert on usermgmt_reminder for each row execute function keep_out()`,
      }),
    )
    const transport = new TestTransport()
    const error = new Error('a mail without a row in the ledger')
    expect(await campaign(site, transport)).toMatchObject({ sent: 0, stopped: { error } })
    expect(transport.tried).toEqual([])
  })

  test.each(REAL_SITES)('mails whoever is due a link of their own, and remembers it (%s)', async (name) => {
    const site = await siteWithLedger(harness, name)
    const keys = await peopleOn(site, 'ann', 'bob')
    const transport = new TestTransport()
    expect(await campaign(site, transport)).toEqual({
      since: '2020-01-01T00:00:00Z',
      matched: 2,
      sent: 2,
      bounced: 0,
      failed: 0,
      uncertain: 0,
      kept: {},
      skipped: {},
      changed: 0,
      problems: [],
    })
    const addresses = await rowsOf(site.db, 'account_emailaddress')
    for (const message of transport.sent) {
      const { to, text = '', messageId } = await simpleParser(await sourceOf(message))
      const [{ address = '' } = {}] = [to].flat().flatMap((each) => each?.value ?? [])
      const [, key = ''] = /confirm\/(.*)\//.exec(text) ?? []
      const row = addresses.find(({ email }) => email === address)
      expect(readConfirmationKey(decodeURIComponent(key), { secret: SECRET })).toEqual({
        addressId: BigInt(String(row?.id)),
        signedAt: new Date(NOW),
      })
      expect(messageId).toMatch(/@site\.example>$/)
    }
    expect(transport.addresses()).toEqual(['ann@example.com', 'bob@example.com'])
    expect(await reminders(site)).toMatchObject(
      // In the order of the keys, which a UUID does not get from its age.
      [...keys].sort().map((user_key) => ({
        user_key,
        email_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        status: 'sent',
        reply: '250 sent',
        attempts: '1',
        created_at: NOW,
        finished_at: NOW,
        deletion_at: null,
      })),
    )
    expect(await rowsOf(site.db, 'account_emailconfirmation')).toEqual([])
  })

  test('of thousands mails each of them once', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, 6_000)
    const transport = new TestTransport()
    expect(await campaign(site, transport)).toMatchObject({ matched: 6_000, sent: 6_000 })
    expect(new Set(transport.tried).size).toBe(6_000)
    expect(transport.tried).toHaveLength(6_000)
    expect(new Set(await statuses(site))).toEqual(new Set(['sent']))
    expect(await campaign(site, transport)).toMatchObject({ sent: 0, skipped: { reminded: 6_000 } })
  })

  describe('keeps out', () => {
    test('whom a guard keeps, but nobody for their rows', async () => {
      const posts = 'CREATE TABLE blog_post (id {key}, author_id integer NOT NULL REFERENCES auth_user (id));'
      const site = await siteWithLedger(harness, 'django5.2-allauth65', posts)
      const [author = ''] = await peopleOn(site, 'author')
      await insert(site, 'blog_post', { author_id: author })
      await addUser(site, { isStaff: true })
      await addUser(site, { dateJoined: '2025-06-14T00:00:00Z' })
      const transport = new TestTransport()
      const asked = criteria({ guards: { recentAfter: '2025-06-08T12:00:00Z' } })
      expect(await campaign(site, transport, { criteria: asked })).toMatchObject({
        matched: 3,
        sent: 1,
        kept: { staff: 1, recent: 1 },
      })
      expect(transport.addresses()).toEqual(['author@example.com'])
    })

    test('whoever has an address that another user has verified', async () => {
      const site = await siteWithLedger(harness)
      await peopleOn(site, 'ann')
      await addUser(site, { addresses: [{ email: 'Ann@example.com', verified: true }] })
      expect(await campaign(site, new TestTransport())).toMatchObject({ sent: 0, skipped: { taken: 1 } })
    })

    test('whoever has an address that no mail can have', async () => {
      const site = await siteWithLedger(harness)
      await addUser(site, { email: 'x@example.com,y@example.com' })
      await addUser(site, { email: 'x@example.com\nBcc: y@example.com' })
      expect(await campaign(site, new TestTransport())).toMatchObject({ sent: 0, skipped: { unmailable: 2 } })
    })

    const LATELY = '2025-06-10T00:00:00Z'
    const FAILED_TWICE = [{ status: 'failed' }, { status: 'failed' }]
    test.each<[string, readonly { status?: string; at?: string; email?: string }[], string | undefined]>([
      ['reminded within the time', [{ at: LATELY }], 'reminded'],
      ['reminded just then', [{ at: '2025-06-08T12:00:00Z' }], undefined],
      ['reminded a second later', [{ at: '2025-06-08T12:00:01Z' }], 'reminded'],
      ['reminded long ago', [{}, {}], undefined],
      ['reminded three times', [{}, {}, {}], 'enough'],
      [
        'reminded three times, at another address',
        [1, 2, 3].map(() => ({ email: 'old@example.com' })),
        undefined,
      ],
      ['cut off at another address', [{ status: 'sending', email: 'old@example.com' }], undefined],
      ['failed lately', [{ status: 'failed', at: LATELY }], undefined],
      ['failed often', [1, 2, 3, 4].map(() => ({ status: 'failed' })), undefined],
      ['failed often, the last time lately', [...FAILED_TWICE, { status: 'failed', at: LATELY }], 'failing'],
      [
        'failed often, lately, at another address',
        [1, 2, 3].map(() => ({ status: 'failed', at: LATELY, email: 'old@example.com' })),
        undefined,
      ],
      ['bounced', [{ status: 'bounced' }], 'bounced'],
      ['bounced, then sent', [{ status: 'bounced' }, {}], 'bounced'],
      ['bounced at another address', [{ status: 'bounced', email: 'old@example.com' }], undefined],
      ['cut off', [{ status: 'sending' }], 'uncertain'],
      ['cut off, then sent', [{ status: 'sending' }, {}], undefined],
      ['reminded at another address', [{ at: LATELY, email: 'old@example.com' }], 'reminded'],
    ])('%s', async (_, earlier, reason) => {
      const site = await siteWithLedger(harness)
      const [user = ''] = await peopleOn(site, 'ann')
      for (const each of earlier) await recordReminder(site, { user, email: 'ann@example.com', ...each })
      const { sent, skipped } = await campaign(site, new TestTransport())
      expect({ sent, skipped }).toEqual(
        reason ? { sent: 0, skipped: { [reason]: 1 } } : { sent: 1, skipped: {} },
      )
    })

    test('whoever has the address of somebody reminded', async () => {
      const site = await siteWithLedger(harness)
      await peopleOn(site, 'ann')
      await addUser(site, { username: 'other', email: 'ann@example.com' })
      const transport = new TestTransport()
      expect(await campaign(site, transport)).toMatchObject({ sent: 1, changed: 0, skipped: { reminded: 1 } })
      expect(await campaign(site, transport)).toMatchObject({ sent: 0, skipped: { reminded: 2 } })
    })

    test('whoever has the address of somebody who was reminded as often as it may be, and is deleted', async () => {
      const site = await siteWithLedger(harness)
      const [gone = ''] = await peopleOn(site, 'gone')
      await peopleOn(site, 'ann')
      for (let times = 0; times < 3; times++) {
        await recordReminder(site, { user: gone, email: 'ann@example.com' })
      }
      await insert(site, 'usermgmt_deletion', {
        run_id: 'earlier',
        user_key: gone,
        deleted_at: '2025-05-20T00:00:00Z',
      })
      const transport = new TestTransport()
      // The account itself, put back with another address, starts anew.
      expect(await campaign(site, transport)).toMatchObject({ sent: 1, skipped: { enough: 1 } })
      expect(transport.addresses()).toEqual(['gone@example.com'])
    })
  })

  describe('that was cut off', () => {
    test('goes on only when told', async () => {
      const site = await siteWithLedger(harness)
      const [user = ''] = await peopleOn(site, 'ann')
      const cutOff = { user, email: 'ann@example.com', status: 'sending', at: '2025-06-15T11:00:00Z' }
      await recordReminder(site, cutOff)
      const transport = new TestTransport()
      const grace = criteria({ guards: { recentAfter: '2025-06-08T12:00:00Z' } })
      expect(await campaign(site, transport, { criteria: grace })).toMatchObject({
        skipped: { uncertain: 1 },
      })
      const again = { criteria: grace, retryUncertain: true }
      expect(await campaign(site, transport, again)).toMatchObject({ sent: 1 })
      expect(await campaign(site, transport, again)).toMatchObject({ sent: 0, skipped: { reminded: 1 } })
      expect(await statuses(site)).toEqual(['sending', 'sent'])
    })
  })

  describe('checks again when the turn comes', () => {
    test.each<[string, (site: TestSite) => Promise<unknown>, object]>([
      ['verified', (site) => verify(site, 'ann@example.com'), { changed: 1 }],
      [
        'logged in',
        ({ db, tables: { users } }) => db.update(users).set({ last_login: NOW }).where(sql`username = 'ann'`),
        { changed: 1 },
      ],
      [
        'became staff',
        ({ db, tables: { users } }) => db.update(users).set({ is_staff: true }).where(sql`username = 'ann'`),
        { kept: { staff: 1 } },
      ],
      [
        'became staff and was deactivated',
        ({ db, tables: { users } }) =>
          db.update(users).set({ is_staff: true, is_active: false }).where(sql`username = 'ann'`),
        { kept: { staff: 1, deactivated: 1 } },
      ],
      [
        'lost the address to another user',
        (site) => addUser(site, { addresses: [{ email: 'ann@example.com', verified: true }] }),
        { skipped: { taken: 1 } },
      ],
    ])('whoever %s meanwhile is not mailed, and counts once', async (_, change, counts) => {
      const site = await siteWithLedger(harness)
      await peopleOn(site, 'ann', 'bob')
      const transport = new TestTransport()
      const onProgress = vi.fn()
      const report = await campaign(site, transport, { meanwhile: () => change(site), onProgress })
      const { sent, changed, kept, skipped } = report
      expect({ sent, changed, kept, skipped }).toEqual({
        sent: 1,
        changed: 0,
        kept: {},
        skipped: {},
        ...counts,
      })
      expect(onProgress).toHaveBeenLastCalledWith({ done: 2, total: 2 })
      expect(transport.addresses()).toEqual(['bob@example.com'])
      expect(await reminders(site)).toHaveLength(1)
    })

    test('with a rate: no more than about a second before', async () => {
      const site = await siteWithLedger(harness)
      await addCrowd(site, 20)
      const transport = new TestTransport(async (address) => {
        if (address === 'user1@example.com') await verify(site, 'user12@example.com')
        return undefined
      })
      expect(await campaign(site, transport, { rate: 4 })).toMatchObject({ sent: 19, changed: 1 })
      expect(transport.tried).not.toContain('user12@example.com')
    })

    test.each<[string, (site: TestSite) => Promise<unknown>]>([
      ['verified', (site) => verify(site, 'cleo@example.com')],
      [
        'has another address',
        ({ db, tables: { emailAddresses: address } }) =>
          db.update(address).set({ email: 'new@example.com' }).where(eq(address.email, 'cleo@example.com')),
      ],
      [
        'lost the address to another user',
        (site) => addUser(site, { addresses: [{ email: 'cleo@example.com', verified: true }] }),
      ],
    ])('with a slow server: at the moment of sending, whoever %s', async (_, change) => {
      const site = await siteWithLedger(harness)
      await peopleOn(site, 'ann', 'bob', 'cleo')
      const clock = testClock()
      const transport = new TestTransport(async (address) => {
        await clock.sleep(3_000)
        if (address === 'ann@example.com') await change(site)
        return undefined
      })
      expect(await campaign(site, transport, { clock, concurrency: 1 })).toMatchObject({
        sent: 2,
        changed: 1,
      })
      expect(transport.tried).toEqual(['ann@example.com', 'bob@example.com'])
      expect(await statuses(site)).toEqual(['sent', 'sent'])
    })

    test.each(['id', 'number'])(
      'whose address somebody verifies in another case meanwhile, by the key %s',
      async (key) => {
        const { database } = await siteWithLedger(harness)
        if (key !== 'id') await database.run(`alter table account_emailaddress rename column id to ${key}`)
        const site = await siteIn(database)
        await peopleOn(site, 'ann')
        await addUser(site, { username: 'twin', addresses: [{ email: 'Ann@Example.com', primary: false }] })
        const transport = new TestTransport()
        const meanwhile = () => verify(site, 'Ann@Example.com')
        expect(await campaign(site, transport, { meanwhile })).toMatchObject({
          sent: 0,
          skipped: { taken: 1 },
        })
      },
    )

    test('a mail that had to wait as well', async () => {
      const site = await siteWithLedger(harness)
      await peopleOn(site, 'ann', 'bob')
      const transport = new TestTransport((address) =>
        address === 'ann@example.com' ? 'deferred' : undefined,
      )
      const sleep = async () => verify(site, 'ann@example.com')
      const clock = { ...testClock(), sleep }
      expect(await campaign(site, transport, { clock })).toMatchObject({ sent: 1, changed: 1, failed: 0 })
      expect(transport.tried.filter((address) => address === 'ann@example.com')).toHaveLength(1)
      expect(await statuses(site)).toEqual(['sent'])
    })
  })
})
