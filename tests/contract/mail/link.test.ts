import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { checkedLinks, type LinkSettings, makeLink, sampleLink } from '../../../src/mail/link.ts'
import { linkTemplateFrom } from '../../../src/mail/link-template.ts'
import { siteFacts } from '../../../src/mail/site-facts.ts'
import { isVerifiedElsewhere, isVerifiedElsewhereNow } from '../../../src/mail/taken-address.ts'
import { inTransaction } from '../../../src/site/site.ts'
import { readConfirmationKey } from '../../support/confirmation-key.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { wordsOf } from '../../support/errors.ts'
import { createSite, insert, REAL_SITES, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const NOW = new Date('2025-06-15T12:00:00.789Z')
const template = linkTemplateFrom('https://site.example/confirm/{key}/')
const HMAC = { kind: 'hmac', template, days: 3, secret: 'the key' } as const
const DATABASE = { kind: 'database', template, days: 3 } as const
const LOGIN = { kind: 'login', template: linkTemplateFrom('https://site.example/login/') } as const

async function addressOf(site: TestSite, email: string): Promise<string> {
  const rows = await site.db.rows<{ id: string }>(
    sql`select cast(id as text) as id from account_emailaddress where email = ${email}`,
  )
  return rows[0]?.id ?? ''
}

async function linkIn(site: TestSite, settings: LinkSettings) {
  await addUser(site, { email: 'ann@example.com' })
  const id = await addressOf(site, 'ann@example.com')
  const link = await inTransaction(site, 'write', (here) => makeLink(here, settings, id, NOW))
  const key = decodeURIComponent(new URL(link.url).pathname.split('/')[2] ?? '')
  return { id, link, key }
}

describeEachDatabase('a confirmation link', (harness) => {
  test.each(REAL_SITES)('is signed for the row of the address (%s)', async (name) => {
    const site = await createSite(harness, name)
    const { id, link, key } = await linkIn(site, checkedLinks(HMAC, site))
    expect(readConfirmationKey(key, { secret: 'the key' })).toEqual({
      addressId: BigInt(id),
      signedAt: new Date('2025-06-15T12:00:00Z'),
    })
    expect(link.expires).toBe('2025-06-18T12:00:00Z')
  })

  test('has the salt of the site', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const { key } = await linkIn(site, { ...HMAC, salt: 'pepper' })
    expect(readConfirmationKey(key, { secret: 'the key' })).toBeUndefined()
    expect(readConfirmationKey(key, { secret: 'the key', salt: 'pepper' })).toMatchObject({
      signedAt: expect.any(Date),
    })
  })

  test.each(REAL_SITES)('has a row of its own (%s)', async (name) => {
    const site = await createSite(harness, name)
    const { id, key } = await linkIn(site, checkedLinks(DATABASE, site))
    expect(key).toMatch(/^[a-z0-9]{64}$/)
    expect(await rowsOf(site.db, 'account_emailconfirmation')).toMatchObject([
      {
        key,
        email_address_id: id,
        sent: '2025-06-15T12:00:00.789000Z',
        created: '2025-06-15T12:00:00.789000Z',
      },
    ])
  })

  test('leads to the login page, where none can confirm', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const { link } = await linkIn(site, checkedLinks(LOGIN, site))
    expect(link).toEqual({ url: 'https://site.example/login/', expires: null })
  })

  test('to look at writes nothing', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addUser(site, { email: 'ann@example.com' })
    const id = await addressOf(site, 'ann@example.com')
    expect(sampleLink(site, DATABASE, id, NOW).url).toBe(`https://site.example/confirm/${'x'.repeat(64)}/`)
    expect(sampleLink(site, LOGIN, id, NOW)).toEqual({ url: 'https://site.example/login/', expires: null })
    expect(sampleLink(site, HMAC, id, NOW)).toEqual(
      await inTransaction(site, 'read', (here) => makeLink(here, HMAC, id, NOW)),
    )
    expect(await rowsOf(site.db, 'account_emailconfirmation')).toEqual([])
  })

  test('must fit its kind', async () => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const refused = async (settings: LinkSettings) =>
      (await wordsOf(async () => checkedLinks(settings, site))).message
    expect(await refused({ ...HMAC, template: LOGIN.template })).toMatch(/no place for its key/)
    expect(await refused({ ...LOGIN, template })).toMatch(/has no key/)
    const without = { shape: { ...site.shape, confirmations: undefined } }
    expect((await wordsOf(async () => checkedLinks(DATABASE, without))).message).toMatch(/no table/)
  })
})

describeEachDatabase('where the site is', (harness) => {
  const given = { url: new URL('https://given.example/'), name: 'Given' }

  async function siteCalled(...domains: string[]): Promise<TestSite> {
    const site = await createSite(harness, 'django5.2-allauth65')
    await site.db.rows(sql`delete from django_site returning id`)
    for (const domain of domains) await insert(site, 'django_site', { domain, name: `The ${domain}` })
    return site
  }

  test.each([
    ['shop.example', 'https://shop.example/'],
    ['localhost:8000', 'http://localhost:8000/'],
    ['https://shop.example/', 'https://shop.example/'],
  ])('the database says %s', async (domain, url) => {
    const facts = await siteFacts(await siteCalled(domain), {})
    expect({ url: facts.url.href, name: facts.name }).toEqual({ url, name: `The ${domain}` })
  })

  test('is given', async () => {
    expect(await siteFacts(await siteCalled('example.com'), given)).toEqual(given)
    expect(await siteFacts(await siteCalled('example.com'), { url: given.url })).toEqual({
      url: given.url,
      name: 'given.example',
    })
    expect(await siteFacts(await siteCalled('shop.example'), { url: given.url })).toEqual({
      url: given.url,
      name: 'The shop.example',
    })
  })

  test.each([
    [['example.com'], /example\.com, as every new one/],
    [['a.example', 'b.example'], /does not say where/],
    [[], /does not say where/],
    [['a b'], /which is no domain/],
  ])('cannot be told from %j', async (domains, message) => {
    const error = await wordsOf(async () => siteFacts(await siteCalled(...domains), {}))
    expect(error.message).toMatch(message)
    expect(error.hint).toContain('--site-url')
  })
})

describeEachDatabase('an address that is verified elsewhere', (harness) => {
  describe.each([
    ['of many', isVerifiedElsewhere],
    ['now', isVerifiedElsewhereNow],
  ])('%s', (_, condition) => {
    test('is found', async () => {
      const site = await createSite(harness, 'django5.2-allauth65')
      await addUser(site, {
        email: 'ann@example.com',
        addresses: [{ email: 'ann@example.com', verified: true }],
      })
      for (const email of ['ann@example.com', 'Ann@Example.com', 'bob@example.com'])
        await addUser(site, { email })
      const { emailAddresses: address } = site.tables
      const rows = await site.db.rows<{ email: string }>(
        sql`select ${address.email} as email from ${address} where not ${address.verified}
          and ${condition(site, sql`${address.email}`)} order by ${address.id}`,
      )
      expect(rows.map(({ email }) => email)).toEqual(['ann@example.com', 'Ann@Example.com'])
    })
  })
})
