import { eq } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { dateOf, type Instant, instantOf } from '../../../src/django/datetime.ts'
import { deletionDates } from '../../../src/mail/deletion-date.ts'
import { listUsers, tally } from '../../../src/users/list.ts'
import { campaign, recordReminder, reminders, siteWithLedger, TestTransport } from '../../support/campaign.ts'
import { criteria } from '../../support/criteria.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { insert, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const DAY = 86_400_000
const START = '2025-06-01T12:00:00Z'

function day(number: number): Instant {
  return instantOf(new Date(dateOf(START).getTime() + number * DAY))
}

/** Reminds everybody who is due on that day; the account goes two weeks after the first mail. */
function remindOn(site: TestSite, number: number, answer?: 'bounced') {
  return campaign(site, new TestTransport(() => answer), {
    at: day(number),
    againAfter: '5d',
    deletionDate: deletionDates('14d', 'UTC'),
  })
}

/** Returns the usernames of those whose date has come, and of those whose date has not. */
async function dueAt(site: TestSite, at: Instant, remindedBefore = day(-100)) {
  const names = async (negated: boolean) => {
    const asked = criteria({ selection: { deletionDue: { at, remindedBefore, negated } } })
    const found: (string | undefined)[] = []
    for await (const { username } of listUsers(site, {
      criteria: asked,
      fields: ['username'],
      show: 'all',
    })) {
      found.push(username as string)
    }
    return found.sort()
  }
  return [await names(false), await names(true)]
}

describeEachDatabase('the date of a deletion', (harness) => {
  /** Ann was told of a deletion in 2026, and has logged in since. */
  async function siteWithLoginSince() {
    const site = await siteWithLedger(harness)
    const { users } = site.tables
    const key = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await recordReminder(site, {
      user: key,
      email: 'ann@example.com',
      at: '2019-01-01T00:00:00Z',
      deletionAt: '2026-01-01T00:00:00Z',
    })
    await site.db.update(users).set({ last_login: '2019-06-01T00:00:00Z' }).where(eq(users.key, key))
    return { site, key }
  }

  test('is what the first mail said, whatever comes later, and not a second earlier', async () => {
    const site = await siteWithLedger(harness)
    await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await remindOn(site, 0)
    await remindOn(site, 13)
    expect((await reminders(site)).map((row) => row.deletion_at)).toEqual([day(14), day(14)])
    expect(await dueAt(site, instantOf(new Date(dateOf(day(14)).getTime() - 1000)))).toEqual([[], ['ann']])
    expect(await dueAt(site, day(14))).toEqual([['ann'], []])
  })

  test('is the one that was named, also when a later mail named none', async () => {
    const site = await siteWithLedger(harness)
    const user = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await recordReminder(site, { user, email: 'ann@example.com', at: day(0), deletionAt: day(14) })
    await recordReminder(site, { user, email: 'ann@example.com', at: day(1) })
    expect(await dueAt(site, day(13), day(12))).toEqual([[], ['ann']])
    expect(await dueAt(site, day(14), day(13))).toEqual([['ann'], []])
    await remindOn(site, 7)
    expect((await reminders(site)).at(-1)).toMatchObject({ deletion_at: day(14) })
  })

  test('is a new one when the old one has passed', async () => {
    const site = await siteWithLedger(harness)
    await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await remindOn(site, 0)
    await remindOn(site, 14)
    expect((await reminders(site)).map((row) => row.deletion_at)).toEqual([day(14), day(28)])
    expect(await dueAt(site, day(27))).toEqual([[], ['ann']])
  })

  test('counts no more when the user has logged in since, and is named anew', async () => {
    const { site } = await siteWithLoginSince()
    expect(await dueAt(site, '2027-01-01T00:00:00Z')).toEqual([[], ['ann']])
    await remindOn(site, 0)
    expect((await reminders(site)).at(-1)).toMatchObject({ deletion_at: day(14) })
  })

  test('counts no more for whoever signs up anew under the same key, and is named anew', async () => {
    const site = await siteWithLedger(harness)
    const { users } = site.tables
    const key = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await recordReminder(site, { user: key, email: 'ann@example.com', at: day(-60), deletionAt: day(-30) })
    expect(await dueAt(site, day(0))).toEqual([['ann'], []])
    await site.db
      .update(users)
      .set({ date_joined: day(-20) })
      .where(eq(users.key, key))
    expect(await dueAt(site, day(0))).toEqual([[], ['ann']])
    await recordReminder(site, { user: key, email: 'ann@example.com', at: day(-40), deletionAt: day(9) })
    await remindOn(site, 0)
    expect((await reminders(site)).at(-1)).toMatchObject({ deletion_at: day(14) })
  })

  test.each([
    ['before the mail', day(-31), ['ann']],
    ['at its very time', day(-30), []],
    ['since', day(-1), []],
  ])('of whoever was deleted %s and put back', async (_, deletedAt, due) => {
    const site = await siteWithLedger(harness)
    const user = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    for (const days of [-32, -31, -30]) {
      await recordReminder(site, { user, email: 'ann@example.com', at: day(days), deletionAt: day(-15) })
    }
    await insert(site, 'usermgmt_deletion', { run_id: 'earlier', user_key: user, deleted_at: deletedAt })
    const reminded = { before: day(-10), at: day(0) }
    expect((await dueAt(site, day(0)))[0]).toEqual(due)
    expect((await tally(site, criteria({ selection: { reminded } }))).matched).toBe(due.length)
    // The three mails that went out before count no more either.
    await remindOn(site, 0)
    const dates = (await reminders(site)).slice(3).map((row) => row.deletion_at)
    expect(dates).toEqual([day(14)])
  })

  test.each<[string, 'sent' | 'bounced' | 'sending' | 'failed', string, boolean]>([
    ['delivered', 'sent', 'ann@example.com', true],
    ['bounced', 'bounced', 'ann@example.com', false],
    ['cut off', 'sending', 'ann@example.com', false],
    ['failed', 'failed', 'ann@example.com', false],
    ['delivered to another address', 'sent', 'old@example.com', false],
  ])('was named by the last reminder: %s', async (_, status, email, due) => {
    const site = await siteWithLedger(harness)
    const user = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await recordReminder(site, { user, email: 'ann@example.com', at: day(0), deletionAt: day(14) })
    await recordReminder(site, { user, email, status, at: day(1), deletionAt: day(14) })
    expect(await dueAt(site, day(20))).toEqual(due ? [['ann'], []] : [[], ['ann']])
  })

  test('of a mail that named none is when it was delivered long enough ago', async () => {
    const site = await siteWithLedger(harness)
    const user = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await addUser(site, { username: 'never-reminded', email: 'bob@example.com' })
    await recordReminder(site, { user, email: 'ann@example.com', at: day(0) })
    expect(await dueAt(site, day(20), day(-1))).toEqual([[], ['ann', 'never-reminded']])
    expect(await dueAt(site, day(20), day(0))).toEqual([['ann'], ['never-reminded']])
  })

  test('waits for a later date that a cut-off mail may have named', async () => {
    const site = await siteWithLedger(harness)
    const user = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await recordReminder(site, {
      user,
      email: 'ann@example.com',
      status: 'sending',
      at: day(0),
      deletionAt: day(40),
    })
    await recordReminder(site, { user, email: 'ann@example.com', at: day(1), deletionAt: day(14) })
    expect(await dueAt(site, day(20))).toEqual([[], ['ann']])
    expect(await dueAt(site, day(40))).toEqual([['ann'], []])
  })

  test('does not wait for a date that was named before the last login', async () => {
    const { site, key } = await siteWithLoginSince()
    await recordReminder(site, { user: key, email: 'ann@example.com', at: day(0), deletionAt: day(14) })
    expect(await dueAt(site, day(14))).toEqual([['ann'], []])
  })

  test('counts from the delivery of a mail that had to wait', async () => {
    const site = await siteWithLedger(harness)
    const user = await addUser(site, { username: 'ann', email: 'ann@example.com' })
    await recordReminder(site, { user, email: 'ann@example.com', at: day(0), finishedAt: day(2) })
    expect(await dueAt(site, day(20), day(1))).toEqual([[], ['ann']])
    expect(await dueAt(site, day(20), day(2))).toEqual([['ann'], []])
    const reminded = async (before: Instant) =>
      (await tally(site, criteria({ selection: { reminded: { before, at: day(20) } } }))).matched
    expect([await reminded(day(1)), await reminded(day(2))]).toEqual([0, 1])
  })
})
