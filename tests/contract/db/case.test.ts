import { expect, test } from 'vitest'
import { listRuns } from '../../../src/ledger/history.ts'
import { LedgerRun } from '../../../src/ledger/run.ts'
import { migrate } from '../../../src/site/migrate.ts'
import { type Site, siteOf } from '../../../src/site/site.ts'
import { listUsers } from '../../../src/users/list.ts'
import { recordDeletions } from '../../../src/users/purge/record-deletions.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { createSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const NAMES = ['änna', 'νικος', 'İpek', 'straße']

async function keptBy(site: Site, protect: readonly string[]): Promise<unknown[]> {
  const request = {
    criteria: criteria({ guards: { protect } }),
    fields: ['username'] as const,
    show: 'kept' as const,
  }
  const kept: unknown[] = []
  for await (const { username } of listUsers(site, request)) kept.push(username)
  return kept
}

async function protectsAll(site: Site): Promise<void> {
  for (const username of NAMES) await addUser(site, { username, email: `${username}@münchen.example` })
  expect(await keptBy(site, ['ÄNNA', 'ΝΙΚΟΣ', 'İpek', 'straße'])).toEqual(NAMES)
  expect(await keptBy(site, ['@MÜNCHEN.example'])).toEqual(NAMES)
  const asked = criteria({ selection: { users: ['ÄNNA', 'ΝΙΚΟΣ'] } })
  const found: unknown[] = []
  for await (const { username } of listUsers(site, { criteria: asked, fields: ['username'], show: 'all' })) {
    found.push(username)
  }
  expect(found).toEqual(NAMES.slice(0, 2))
}

async function findsWhoDeleted(site: Site): Promise<void> {
  await migrate(site.db)
  const facts = { command: 'purge', options: {}, actor: 'ann', host: 'web1', version: '1.0.0' }
  const run = await LedgerRun.begin(site.db, facts, { now: () => new Date() })
  const emails = ['änna@mail.example', 'Ägnes@mail.example', 'νικος@mail.example', 'anna@mail.example']
  const keys = await Promise.all(emails.map((email) => addUser(site, { email })))
  await recordDeletions(site, run.id, keys, '2025-06-15T12:00:00Z')
  const isFound = async (email: string) => (await listRuns(site.db, { limit: 5, email })).length === 1
  for (const email of emails) {
    for (const written of [email, ` ${email}`, email.toLowerCase(), email.toUpperCase()]) {
      expect([written, await isFound(written)]).toEqual([written, true])
    }
  }
  expect(await isFound('nobody@mail.example')).toBe(false)
}

describeEachDatabase('a name in another case', (harness) => {
  test('is the same name', async () => protectsAll(await createSite(harness, 'django5.2-allauth65')))

  test('is the same in the history', async () =>
    findsWhoDeleted(await createSite(harness, 'django5.2-allauth65')))
})

describeDatabase('postgres', 'a name in another case', (harness) => {
  test.each<[string, (site: Site) => Promise<void>]>([
    ['is the same name', protectsAll],
    ['is the same in the history', findsWhoDeleted],
  ])('%s where the database knows the case of ASCII only', async (_, isTheSame) => {
    const database = await harness.empty()
    const server = await database.connect()
    const name = `usermgmt_test_c_${process.pid}`
    await server.run(
      `create database ${name} template template0 encoding 'UTF8' locale_provider libc locale 'C'`,
    )
    const url = new URL(database.url)
    url.pathname = `/${name}`
    const db = await database.open({}, url.href)
    try {
      await migrate(db)
      await isTheSame(await siteOf(db))
    } finally {
      await db.close()
      await server.run(`drop database ${name}`)
    }
  })
})
