import { beforeAll, expect, test } from 'vitest'
import { usermgmt } from '../cli/run.ts'
import type { Populated, Selected } from './answers.ts'
import { describeEachSite } from './each-database.ts'
import { djangoSite, type Site } from './site-runner.ts'

const CUTOFF = '2020-01-01T00:00:00'

/** The log-ins of the site lie at the cut-off, a microsecond, eight hours and some days away from it. */
const INSTANTS = [
  `${CUTOFF}Z`,
  `${CUTOFF}.000001Z`,
  '2019-12-31T23:59:59.999999Z',
  '2020-01-01T08:00:00+08:00',
  '2019-12-31T15:59:59.999999Z',
  '2019-12-31T16:00:00Z',
  '2020-01-31T00:00:00Z',
  '2025-06-15T12:00:00Z',
]

/** Midnight is at 05:00, 16:00 (the day before), 18:15 (the day before) and 00:00 in UTC. */
const ZONES = ['America/New_York', 'Asia/Singapore', 'Asia/Kathmandu', 'UTC']

async function listed(site: Site, ...args: string[]): Promise<Selected> {
  const ran = await usermgmt(['--database', site.database, 'list-unverified', ...args, '--format', 'ids'])
  expect(ran).toMatchObject({ exit: 0 })
  return ran.stdout.split('\n').filter(Boolean).map(Number)
}

describeEachSite('who is listed', (databases) => {
  let site: Site
  let users: Populated['users']
  beforeAll(async () => {
    site = djangoSite({ database: await databases.migrated() })
    const args = ['populate', '--cutoff', `${CUTOFF}Z`, '--now', '2025-06-15T12:00:00Z', '--bulk', '300']
    users = (await site.ask<Populated>(args)).users
  })

  test.each(INSTANTS)('is whom Django finds: since %s', async (instant) => {
    const expected = await site.ask<Selected>(['select_unverified', '--cutoff', instant])
    expect(expected.length).toBeGreaterThan(300)
    expect(await listed(site, '--since', instant)).toEqual(expected)
  })

  test.each(ZONES)('is whom Django finds: since a date in %s', async (zone) => {
    const expected = await site.ask<Selected>([
      'select_unverified',
      '--date',
      '2020-01-01',
      '--time-zone',
      zone,
    ])
    expect(await listed(site, '--since', '2020-01-01', '--time-zone', zone)).toEqual(expected)
  })

  test('is told apart by a microsecond, by the primary address, and is there once', async () => {
    const found = await listed(site, '--since', `${CUTOFF}Z`)
    const labels = Object.keys(users).filter((label) => found.includes(users[label] ?? 0))
    expect(new Set(found).size).toBe(found.length)
    expect(labels).toEqual(
      expect.arrayContaining([
        'never',
        'before',
        'microsecond_before',
        'at_cutoff',
        'two_primaries',
        'verified_secondary',
      ]),
    )
    for (const label of [
      'microsecond_after',
      'after',
      'verified_primary',
      'pending_change',
      'not_primary',
      'no_address',
    ]) {
      expect(users[label], label).toBeTypeOf('number')
      expect(labels).not.toContain(label)
    }
  })
})
