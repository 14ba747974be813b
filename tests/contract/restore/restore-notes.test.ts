import { beforeEach, expect, test } from 'vitest'
import { purgeInto, putBack } from '../../support/archives.ts'
import { NO_GUARDS } from '../../support/criteria.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const NOTE = 'an address of theirs is verified for somebody else by now'

/** Somebody active, with the address. */
function addHolder(site: TestSite, email: string, verified = true): Promise<string> {
  return addUser(site, {
    email: `${email}.holder`,
    lastLogin: '2026-01-01T00:00:00Z',
    addresses: [{ email, verified }],
  })
}

describeEachDatabase('a restoration notes', (harness) => {
  test.each([1, 1000])('whose address is verified for somebody else by now, %i in a batch', async (size) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const first = await addUser(site, { email: 'first@example.com' })
    const second = await addUser(site, { email: 'Second@Example.com' })
    await addUser(site, { email: 'third@example.com' })
    await addUser(site, { email: 'fourth@example.com' })
    const before = await allRowsOf(site.db)
    const { path } = await purgeInto(directory, site, { size })
    for (const email of ['first@example.com', 'second@example.com']) await addHolder(site, email)
    await addHolder(site, 'third@example.com', false)
    const notes = [first, second].map((user) => ({ user, note: NOTE }))
    for (const dryRun of [true, false]) {
      const report = await putBack(site, path, { dryRun })
      expect(report).toMatchObject({ restored: { auth_user: 4, account_emailaddress: 4 }, failed: [] })
      expect(report.notes).toHaveLength(2)
      expect(report.notes).toEqual(expect.arrayContaining(notes))
    }
    const after = await allRowsOf(site.db)
    for (const table of ['auth_user', 'account_emailaddress']) {
      expect(after[table]).toEqual(expect.arrayContaining(before[table] ?? []))
    }
    expect(await putBack(site, path)).toMatchObject({ restored: {}, failed: [], notes: [] })
  })

  test.each([1, 1000])('nothing of a user who has come back with it as well, %i in a batch', async (size) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site, { email: 'shared@example.com' })
    await addUser(site, {
      email: 'own@example.com',
      addresses: [
        { email: 'own@example.com' },
        { email: 'shared@example.com', verified: true, primary: false },
      ],
    })
    const { path } = await purgeInto(directory, site, { size, guards: NO_GUARDS })
    for (const dryRun of [true, false]) {
      expect(await putBack(site, path, { dryRun })).toMatchObject({
        restored: { auth_user: 2, account_emailaddress: 3 },
        notes: [],
      })
    }
  })

  test('nothing of the users’ own addresses', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const addresses = [{ email: 'bot@example.com' }, { email: 'other@example.com' }]
    await addUser(site, { addresses })
    const { path } = await purgeInto(directory, site)
    expect(await putBack(site, path)).toMatchObject({ restored: { account_emailaddress: 2 }, notes: [] })
  })
})
