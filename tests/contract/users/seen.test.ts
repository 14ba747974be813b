import { expect, test } from 'vitest'
import type { GuardName } from '../../../src/users/criteria.ts'
import { listUsers } from '../../../src/users/list.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { CUTOFF, criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { createSite, insert, type SiteName, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const LATER = '2020-01-01T00:00:00.000001Z'

/** What the fixtures lack, in the columns that the apps' newest versions have. */
const FURTHER_APPS = `
  create table knox_authtoken (digest varchar(128) primary key, user_id integer not null references auth_user (id),
    created {instant} not null, expiry {instant});
  create table otp_totp_totpdevice (id {key}, user_id integer not null references auth_user (id),
    created_at {instant}, last_used_at {instant});
  create table auditlog_logentry (id {key}, actor_id integer references auth_user (id), timestamp {instant} not null);
  create table blog_historicalpost (history_id {key}, history_user_id integer references auth_user (id),
    history_date {instant} not null);`

const SIGNS: [SiteName, string, string, string?][] = [
  ['django5.2-allauth65', 'usersessions_usersession', 'last_seen_at'],
  ['django5.2-allauth65', 'usersessions_usersession', 'created_at'],
  ['django5.2-allauth65', 'mfa_authenticator', 'created_at'],
  ['django5.2-allauth65', 'mfa_authenticator', 'last_used_at'],
  ['django5.2-allauth65', 'allauth_idp_oidc_token', 'created_at'],
  ['django5.2-allauth65', 'socialaccount_socialaccount', 'last_login'],
  ['django5.2-allauth65', 'knox_authtoken', 'created'],
  ['django5.2-allauth65', 'knox_authtoken', 'expiry'],
  ['django5.2-allauth65', 'otp_totp_totpdevice', 'created_at'],
  ['django5.2-allauth65', 'otp_totp_totpdevice', 'last_used_at'],
  ['django5.2-allauth65', 'auditlog_logentry', 'timestamp', 'actor_id'],
  ['django5.2-allauth65', 'blog_historicalpost', 'history_date', 'history_user_id'],
  ['known-apps', 'authtoken_token', 'created'],
  ['known-apps', 'token_blacklist_outstandingtoken', 'created_at'],
  ['known-apps', 'token_blacklist_outstandingtoken', 'expires_at'],
  ['known-apps', 'oauth2_provider_accesstoken', 'created'],
  ['known-apps', 'oauth2_provider_accesstoken', 'updated'],
  ['known-apps', 'oauth2_provider_idtoken', 'updated'],
  ['known-apps', 'reversion_revision', 'date_created'],
]

function madeSite(...[harness, name]: Parameters<typeof createSite>): Promise<TestSite> {
  return createSite(harness, name, name === 'django5.2-allauth65' ? FURTHER_APPS : '')
}

async function keptBecause(site: TestSite, include: Parameters<typeof criteria>[0] = {}) {
  const kept: Record<string, readonly GuardName[]> = {}
  const request = { criteria: criteria(include), fields: ['username', 'kept_because'], show: 'all' } as const
  for await (const { username, kept_because } of listUsers(site, request)) {
    kept[String(username)] = kept_because ?? []
  }
  return kept
}

describeEachDatabase('seen', (harness) => {
  test.each(SIGNS)(
    '%s: %s with %s after the cut-off keeps its user',
    async (name, table, time, column = 'user_id') => {
      const site = await madeSite(harness, name)
      const add = async (username: string, at: string) =>
        insert(site, table, { [column]: await addUser(site, { username }), [time]: at })
      await add('before', CUTOFF)
      await add('after', LATER)
      const social = table === 'socialaccount_socialaccount' ? (['social'] as const) : []

      expect(await keptBecause(site, { guards: { include: social } })).toEqual({
        before: [],
        after: ['seen'],
      })
      const all = { guards: { include: ['seen', ...social] } } as const
      expect(await keptBecause(site, all)).toEqual({ before: [], after: [] })
    },
  )

  test('a token of Simple JWT that was renewed after the cut-off keeps its user', async () => {
    const site = await createSite(harness, 'known-apps')
    const add = async (username: string, at: string) => {
      const token = { user_id: await addUser(site, { username }), created_at: CUTOFF }
      const id = await insert(site, 'token_blacklist_outstandingtoken', token)
      await insert(site, 'token_blacklist_blacklistedtoken', { token_id: id, blacklisted_at: at })
    }
    await add('before', CUTOFF)
    await add('after', LATER)
    await addUser(site, { username: 'never' })
    expect(await keptBecause(site)).toEqual({ before: [], after: ['seen'], never: [] })
  })

  test('whoever comes between the plan and the deletion is kept', async () => {
    const site = await madeSite(harness, 'django5.2-allauth65')
    const chosen = criteria()
    const user = await addUser(site)
    await addUser(site)
    const session = { user_id: user, last_seen_at: CUTOFF }
    await insert(site, 'usersessions_usersession', session)
    const plan = await planPurge(site, chosen, { batchSize: 10 })
    expect(plan.toDelete).toBe(2)
    const visitor = { ...site, db: await site.database.open() }
    await insert(visitor, 'usersessions_usersession', { ...session, last_seen_at: LATER })
    expect(await purge(site, chosen, plan)).toMatchObject({ deleted: 1, changed: 1 })
  })

  test('a table of another app with such a name keeps nobody, and is no error', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table knox_authtoken (id {key}, user_id integer references auth_user (id) on delete cascade);`,
    )
    await insert(site, 'knox_authtoken', { user_id: await addUser(site, { username: 'ann' }) })
    expect(await keptBecause(site)).toEqual({ ann: [] })
  })
})

describeDatabase('sqlite', 'seen', (harness) => {
  // One sorts before every cut-off, the other one behind.
  test.each(['1 May 2020', 'yesterday'])('a time that nobody can read keeps its user: %s', async (time) => {
    const site = await createSite(harness, 'known-apps')
    await insert(site, 'authtoken_token', { user_id: await addUser(site, { username: 'ann' }) })
    await site.database.run(`update authtoken_token set created = '${time}'`)
    expect(await keptBecause(site)).toEqual({ ann: ['seen'] })
  })
})

describeDatabase('postgres', 'seen', (harness) => {
  test('numbers in place of times keep nobody, and are no error', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table knox_authtoken (id {key}, created bigint, user_id integer references auth_user (id) on delete cascade);`,
    )
    await insert(site, 'knox_authtoken', { created: 1, user_id: await addUser(site, { username: 'ann' }) })
    expect(await keptBecause(site)).toEqual({ ann: [] })
  })
})
