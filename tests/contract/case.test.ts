import { expect, test } from 'vitest'
import { migrate } from '../../src/site/migrate.ts'
import { type Site, siteOf } from '../../src/site/site.ts'
import { listUsers } from '../../src/users/list.ts'
import { criteria } from '../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../support/databases.ts'
import { createSite } from '../support/sites.ts'
import { addUser } from '../support/users.ts'

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

describeEachDatabase('a name in another case', (harness) => {
  test('is the same name', async () => protectsAll(await createSite(harness, 'django5.2-allauth65')))
})

describeDatabase('postgres', 'a name in another case', (harness) => {
  test('is the same name where the database knows the case of ASCII only', async () => {
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
      await protectsAll(await siteOf(db))
    } finally {
      await db.close()
      await server.run(`drop database ${name}`)
    }
  })
})
