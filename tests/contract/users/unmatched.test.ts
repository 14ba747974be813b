import { expect, test } from 'vitest'
import { unmatchedProtection } from '../../../src/users/unmatched.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { createSite, type SiteName } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

describeEachDatabase('entries of the protect list that mean nobody', (harness) => {
  test('none of those that a guard would heed', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const addresses = [{ email: 'änna@münchen.example' }, { email: 'second@other.example' }]
    const key = await addUser(site, { username: 'Änna', email: 'own@third.example', addresses })
    const known = [
      'ÄNNA',
      'Second@Other.example',
      'OWN@third.example',
      '@MÜNCHEN.example',
      '@xn--mnchen-3ya.example',
      'Änna@XN--mnchen-3ya.example',
      '@third.example',
      key,
    ]
    const unknown = ['anna', '@example', 'other.example', `${key}0`, "o'brien", '@100%', '@']
    expect(await unmatchedProtection(site, [...known, ...unknown])).toEqual(unknown)
  })

  test.each<SiteName>(['uuid-user', 'cookiecutter'])('on the site %s', async (name) => {
    const site = await createSite(harness, name)
    const key = await addUser(site, { email: 'anna@example.com' })
    const shown = site.db.dialect.shownKey(key, site.shape.userKey.type)
    const entries = [shown, 'anna@example.com', '@example.com', 'anna', '7e']
    expect(await unmatchedProtection(site, entries)).toEqual(['anna', '7e'])
  })
})
