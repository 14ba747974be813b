import { eq, sql } from 'drizzle-orm'
import { simpleParser } from 'mailparser'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import { judgeUser, planCampaign } from '../../../src/mail/campaign-plan.ts'
import { lifeSteps } from '../../../src/mail/life-steps.ts'
import { sourceOf } from '../../../src/mail/message.ts'
import type { MailOutcome } from '../../../src/mail/transport.ts'
import type { Criteria } from '../../../src/users/criteria.ts'
import {
  campaign,
  DATABASE_LINKS,
  recordReminder,
  reminders,
  SECRET,
  siteWithLedger,
  TestTransport,
  verify,
} from '../../support/campaign.ts'
import { NOW, testClock } from '../../support/clock.ts'
import { readConfirmationKey } from '../../support/confirmation-key.ts'
import { criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { insert, REAL_SITES, rowsOf, siteIn, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

async function peopleOn(site: TestSite, ...names: string[]): Promise<string[]> {
  const keys: string[] = []
  for (const name of names) keys.push(await addUser(site, { username: name, email: `${name}@example.com` }))
  return keys
}

async function statuses(site: TestSite): Promise<unknown[]> {
  return (await reminders(site)).map(({ status }) => status)
}

const broken = () => new UserError('the mail server cannot be reached')

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

  describe('mails that fail every time', () => {
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

  describe('writes down', () => {
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
  })

  describe('stops', () => {
    test('when no mail can be sent, and whoever got none has not used up a reminder', async () => {
      const site = await siteWithLedger(harness)
      await addCrowd(site, 200)
      const first = new TestTransport((address) => (address === 'user60@example.com' ? broken() : undefined))
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
})

function interruption() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
